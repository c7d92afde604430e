#include "ebt/kernels/random.h"

#include <Random123/philox.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "tests/support/numeric.h"

namespace ebt::kernels {
namespace {

constexpr PhiloxStream kStream{{0x12345678U, 0x9ABCDEF0U}, 7, 42};

std::vector<float> normals(PhiloxStream stream, uint64_t first, int64_t count) {
  std::vector<float> out(static_cast<size_t>(count));
  random<float>().normal(stream, first, count, 1.0F, out.data());
  return out;
}

// Box-Muller in double on Random123's own words.
double expected_normal(PhiloxStream stream, uint64_t element) {
  const uint64_t group = element / 4;
  const philox4x32_ctr_t counter = {{static_cast<uint32_t>(group),
                                     static_cast<uint32_t>(group >> 32U), stream.step,
                                     stream.purpose}};
  const auto words = philox4x32_R(10, counter, {{stream.key[0], stream.key[1]}});
  const uint64_t pair = element % 4 / 2 * 2;
  // u is rounded to float by definition: near 1 that shows in the draw.
  const float u = (static_cast<float>(words.v[pair] >> 8U) + 0.5F) * 0x1p-24F;
  const double turn = static_cast<double>(words.v[pair + 1] >> 8U) * 0x1p-24;
  const double angle = 2 * std::numbers::pi * turn;
  return std::sqrt(-2 * std::log(static_cast<double>(u))) *
         (element % 2 == 0 ? std::cos(angle) : std::sin(angle));
}

TEST(RandomNormals, AreBoxMullerOnPhiloxWords) {
  const std::vector<float> draws = normals(kStream, 0, 200'000);
  double largest = 0;
  for (size_t i = 0; i < draws.size(); ++i) {
    largest =
        std::max(largest, std::abs(static_cast<double>(draws[i]) - expected_normal(kStream, i)));
  }
  EXPECT_LE(largest, 1e-6);
}

TEST(RandomNormals, EveryElementCanBeMadeAlone) {
  const std::vector<float> all = normals(kStream, 0, 700);
  for (const uint64_t first : {1U, 2U, 3U, 4U, 127U, 128U, 129U, 255U, 511U}) {
    for (const int64_t count : {1, 2, 5, 128, 130}) {
      const auto begin = all.begin() + static_cast<int64_t>(first);
      EXPECT_EQ(normals(kStream, first, count), std::vector<float>(begin, begin + count))
          << count << " from " << first;
    }
  }
  EXPECT_TRUE(normals(kStream, 5, 0).empty());
}

TEST(RandomNormals, ReachBeyondThirtyTwoBitsOfElements) {
  for (const uint64_t first : {(uint64_t{1} << 34U) - 3, uint64_t{1} << 40U}) {
    const std::vector<float> draws = normals(kStream, first, 9);
    for (size_t i = 0; i < draws.size(); ++i) {
      EXPECT_NEAR(static_cast<double>(draws[i]), expected_normal(kStream, first + i), 1e-6);
    }
  }
}

TEST(RandomNormals, HaveTheMomentsOfANormalDistribution) {
  const std::vector<float> draws = normals(kStream, 0, 1'000'000);
  double moments[5] = {};
  double neighbours = 0;
  for (size_t i = 0; i < draws.size(); ++i) {
    double power = 1;
    for (double& moment : moments) {
      moment += power / static_cast<double>(draws.size());
      power *= static_cast<double>(draws[i]);
    }
    neighbours += static_cast<double>(draws[i]) *
                  static_cast<double>(draws[(i + 1) % draws.size()]) /
                  static_cast<double>(draws.size());
  }
  // Five standard errors each.
  EXPECT_NEAR(moments[1], 0.0, 0.005);
  EXPECT_NEAR(moments[2], 1.0, 0.0071);
  EXPECT_NEAR(moments[3], 0.0, 0.0194);
  EXPECT_NEAR(moments[4], 3.0, 0.049);
  EXPECT_NEAR(neighbours, 0.0, 0.005);
}

TEST(RandomNormals, DoNotDependOnTheNumberOfThreads) {
  testing::expect_same_for_any_threads([] { return normals(kStream, 3, 50'000); });
}

TEST(RandomNormals, DifferWithEveryPartOfTheStream) {
  PhiloxStream other[4] = {kStream, kStream, kStream, kStream};
  ++other[0].key[0];
  ++other[1].key[1];
  ++other[2].purpose;
  ++other[3].step;
  for (const PhiloxStream& stream : other) {
    EXPECT_NE(normals(stream, 0, 8), normals(kStream, 0, 8));
  }
}

}  // namespace
}  // namespace ebt::kernels
