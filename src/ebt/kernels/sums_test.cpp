#include "ebt/kernels/sums.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "ebt/kernels/ranking.h"
#include "tests/support/numeric.h"

namespace ebt::kernels {
namespace {

constexpr int64_t kCount = 50'003;

std::vector<int32_t> every_third_without_target() {
  std::vector<int32_t> targets(kCount);
  for (size_t i = 0; i < targets.size(); ++i) {
    targets[i] = i % 3 == 0 ? -1 : static_cast<int32_t>(i);
  }
  return targets;
}

TEST(Sums, AreAddedToWhatIsThere) {
  const std::vector<double> x = testing::normal_draws(kCount, 1);
  double total = 5;
  sums<double>().sum(kCount, x.data(), &total);
  EXPECT_NEAR(total, 5 + std::accumulate(x.begin(), x.end(), 0.0), 1e-9);
  total = 7;
  sums<double>().sum(0, nullptr, &total);
  EXPECT_EQ(total, 7);
}

TEST(Sums, OfTargetsLeaveOutWhatHasNone) {
  const std::vector<double> x = testing::normal_draws(kCount, 1);
  const std::vector<int32_t> targets = every_third_without_target();
  double expected = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    expected += i % 3 == 0 ? 0.0 : x[i];
  }
  double total = 0;
  sums<double>().sum_of_targets(kCount, x.data(), targets.data(), &total);
  EXPECT_NEAR(total, expected, 1e-9);
}

TEST(Sums, AreTheSameForAnyThreads) {
  const std::vector<double> drawn = testing::normal_draws(kCount, 1);
  const std::vector<float> x(drawn.begin(), drawn.end());
  testing::expect_same_for_any_threads([&] {
    double total = 0;
    sums<float>().sum(kCount, x.data(), &total);
    return total;
  });
}

TEST(Sums, MeansOfRowsAreThoseOfEveryGroup) {
  const std::vector<double> drawn = testing::normal_draws(3 * 40 * 129, 1);
  const std::vector<float> x(drawn.begin(), drawn.end());
  std::vector<float> means(3 * 129);
  sums<float>().mean_of_rows(3, 40, 129, x.data(), means.data());
  for (size_t i = 0; i < means.size(); ++i) {
    double sum = 0;
    for (size_t row = 0; row < 40; ++row) {
      sum += static_cast<double>(x[(i / 129 * 40 + row) * 129 + i % 129]);
    }
    EXPECT_EQ(means[i], static_cast<float>(sum / 40)) << "mean " << i;
  }
}

TEST(Ranking, LossIsTheSoftplusOfTheGapAndItsSlopeTheSigmoid) {
  // The largest gaps neither overflow nor vanish.
  const std::vector<double> truth = {1.0, -2.0, 800.0, -800.0, 3.0};
  const std::vector<double> candidate = {0.5, 1.0, 0.0, 0.0, 1.0};
  const std::vector<int32_t> targets = {0, 4, 1, 2, -1};
  std::vector<double> loss(5);
  std::vector<double> bar(5);
  ranking<double>().loss_and_gradient(5, truth.data(), candidate.data(), targets.data(), 0.25,
                                      loss.data(), bar.data());
  for (const size_t i : {0U, 1U}) {
    const double gap = truth[i] - candidate[i];
    EXPECT_NEAR(loss[i], std::log(1 + std::exp(gap)), 1e-15);
    EXPECT_NEAR(bar[i], 0.25 / (1 + std::exp(-gap)), 1e-15);
  }
  EXPECT_EQ(loss[2], 800);
  EXPECT_EQ(bar[2], 0.25);
  EXPECT_EQ(loss[3], 0);
  EXPECT_EQ(bar[3], 0);
  EXPECT_EQ(loss[4], 0);
  EXPECT_EQ(bar[4], 0);
}

}  // namespace
}  // namespace ebt::kernels
