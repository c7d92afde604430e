#include "lab/k_means.h"

#include <gtest/gtest.h>

#include "tests/support/numeric.h"

namespace ebt {
namespace {

// Normal clouds of deviation 1 around the corners of a simplex; point i is of cloud i % clouds.
std::vector<double> clouds(int64_t count, int64_t clouds, double distance) {
  std::vector<double> points = testing::normal_draws(count * clouds, 9);
  for (int64_t i = 0; i < count; ++i) {
    points[static_cast<size_t>(i * clouds + i % clouds)] += distance;
  }
  return points;
}

TEST(KMeans, FindsCloudsAndNumbersThemByTheirFirstPoints) {
  const KMeans found = k_means(clouds(3000, 7, 12), 7, 7, {});
  for (size_t i = 0; i < found.clusters.size(); ++i) {
    ASSERT_EQ(found.clusters[i], static_cast<int32_t>(i % 7)) << i;
  }
  EXPECT_NEAR(found.squares / 3000, 7, 0.3) << "the variance of seven coordinates";
}

TEST(KMeans, SumsTheSquaresOfOneGroup) {
  const KMeans found = k_means({1, 5, 6}, 1, 1, {});
  EXPECT_EQ(found.clusters, (std::vector<int32_t>{0, 0, 0}));
  EXPECT_DOUBLE_EQ(found.squares, 9 + 1 + 4);
}

TEST(KMeans, GivesEveryPointItsOwnGroup) {
  const KMeans found = k_means({4, 1, 3, 2}, 1, 4, {});
  EXPECT_EQ(found.clusters, (std::vector<int32_t>{0, 1, 2, 3}));
  EXPECT_EQ(found.squares, 0);
}

TEST(KMeans, HasFewerGroupsWhereFewerPointsDiffer) {
  const KMeans found = k_means({1, 1, 2, 2, 1}, 1, 4, {});
  EXPECT_EQ(found.clusters, (std::vector<int32_t>{0, 0, 1, 1, 0}));
}

// Several starts are worth it: clouds that are close are missed by some.
TEST(KMeans, TakesTheBestOfItsStarts) {
  const std::vector<double> points = clouds(500, 12, 5);
  int better = 0;
  for (uint64_t seed = 0; seed < 3; ++seed) {
    const double one = k_means(points, 12, 12, {.starts = 1, .seed = seed}).squares;
    const double best = k_means(points, 12, 12, {.starts = 8, .seed = seed}).squares;
    EXPECT_LE(best, one);
    better += best < 0.99 * one ? 1 : 0;
  }
  EXPECT_GT(better, 0);
}

TEST(KMeans, DoesNotDependOnSignsOrThreads) {
  const std::vector<double> points = clouds(2500, 5, 3);
  const KMeans found = k_means(points, 5, 8, {});
  std::vector<double> mirrored = points;
  for (size_t i = 0; i < mirrored.size(); ++i) {
    mirrored[i] *= i % 5 == 1 || i % 5 == 4 ? -1 : 1;
  }
  EXPECT_EQ(k_means(mirrored, 5, 8, {}).clusters, found.clusters);
  testing::expect_same_for_any_threads([&] {
    const KMeans one = k_means(points, 5, 8, {});
    return std::make_pair(one.clusters, one.squares);
  });
}

}  // namespace
}  // namespace ebt
