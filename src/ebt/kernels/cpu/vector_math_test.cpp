#include "ebt/kernels/cpu/vector_math.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace {

constexpr double kBound = 2.5e-7;  // as vector_math.h states

TEST(VectorMath, ExponentialIsAccurateOverItsWholeRange) {
  double largest = 0;
  for (double x = -87.25; x < 88.0; x += 0x1p-12) {
    const auto in = static_cast<float>(x);
    const double exact = std::exp(static_cast<double>(in));
    largest = std::max(largest, std::abs(static_cast<double>(exponential(in)) / exact - 1.0));
  }
  EXPECT_LE(largest, kBound);
  EXPECT_EQ(exponential(0.0F), 1.0F);
}

TEST(VectorMath, ExponentialSaturatesInsteadOfOverflowing) {
  EXPECT_EQ(exponential(-88.0F), 0.0F);
  EXPECT_EQ(exponential(-1e30F), 0.0F);
  EXPECT_EQ(exponential(-std::numeric_limits<float>::infinity()), 0.0F);
  EXPECT_TRUE(std::isfinite(exponential(1e30F)));
  EXPECT_GT(exponential(1e30F), 1e38F);
}

TEST(VectorMath, ExponentialKeepsNotANumber) {
  EXPECT_TRUE(std::isnan(exponential(std::numeric_limits<float>::quiet_NaN())));
}

TEST(VectorMath, LogarithmIsAccurateForAllNormalNumbers) {
  double largest = 0;
  for (double x = 1.2e-38; x < 3.4e38; x *= 1.0001) {
    const auto in = static_cast<float>(x);
    const double exact = std::log(static_cast<double>(in));
    largest =
        std::max(largest, std::abs(static_cast<double>(logarithm(in)) - exact) / std::abs(exact));
  }
  EXPECT_LE(largest, kBound);
  EXPECT_EQ(logarithm(1.0F), 0.0F);
}

TEST(VectorMath, LogarithmIsAccurateAroundOne) {
  for (int i = 1; i < 1000; ++i) {
    for (const float x :
         {1.0F - static_cast<float>(i) * 0x1p-24F, 1.0F + static_cast<float>(i) * 0x1p-23F}) {
      const double exact = std::log(static_cast<double>(x));
      EXPECT_LE(std::abs(static_cast<double>(logarithm(x)) / exact - 1.0), kBound) << x;
    }
  }
}

TEST(VectorMath, SigmoidHasNoOverflowAtEitherEnd) {
  EXPECT_EQ(sigmoid(-200.0F), sigmoid(-200.0F));
  EXPECT_LE(sigmoid(-200.0F), 1e-37F);
  EXPECT_EQ(sigmoid(200.0F), 1.0F);
  EXPECT_EQ(sigmoid(0.0F), 0.5F);
  EXPECT_EQ(sigmoid(800.0), 1.0);
  EXPECT_EQ(sigmoid(-800.0), 0.0);
}

}  // namespace
