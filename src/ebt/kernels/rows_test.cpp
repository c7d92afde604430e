#include "ebt/kernels/rows.h"

#include <gtest/gtest.h>

#include <vector>

#include "ebt/kernels/columns.h"
#include "tests/support/numeric.h"

namespace ebt::kernels {
namespace {

// More than one thread does alone, and no multiple of a vector.
constexpr int64_t kRows = 37;
constexpr int64_t kWidth = 531;
constexpr auto kSize = static_cast<size_t>(kRows);

std::vector<double> matrix(uint32_t seed) { return testing::normal_draws(kRows * kWidth, seed); }

TEST(Rows, DotIsTheProductOfTwoRows) {
  const std::vector<double> a = matrix(1);
  const std::vector<double> b = matrix(2);
  std::vector<double> out(kSize);
  rows<double>().dot(kRows, kWidth, a.data(), b.data(), out.data());
  for (size_t row = 0; row < kSize; ++row) {
    double expected = 0;
    for (size_t i = row * kWidth; i < (row + 1) * kWidth; ++i) {
      expected += a[i] * b[i];
    }
    EXPECT_NEAR(out[row], expected, 1e-12) << "row " << row;
  }
}

TEST(Rows, MeanIsSummedInOrder) {
  const std::vector<double> drawn = matrix(1);
  const std::vector<float> x(drawn.begin(), drawn.end());
  std::vector<float> out(kSize);
  rows<float>().mean(kRows, kWidth, x.data(), out.data());
  for (size_t row = 0; row < kSize; ++row) {
    float sum = 0;
    for (size_t i = row * kWidth; i < (row + 1) * kWidth; ++i) {
      sum += x[i];
    }
    EXPECT_EQ(out[row], sum / kWidth) << "row " << row;
  }
}

TEST(Rows, RepeatScalesOneRowIntoAll) {
  const std::vector<double> x = testing::normal_draws(kWidth, 1);
  std::vector<double> y(kSize * kWidth);
  rows<double>().repeat(kRows, kWidth, 0.3, x.data(), y.data());
  for (size_t i = 0; i < y.size(); ++i) {
    ASSERT_EQ(y[i], 0.3 * x[i % kWidth]) << "element " << i;
  }
}

TEST(Rows, OneHotLeavesRowsWithoutTargetZero) {
  std::vector<int32_t> targets(kSize, -1);
  targets[0] = 0;
  targets[5] = kWidth - 1;
  targets[36] = 17;
  std::vector<double> y = matrix(1);
  rows<double>().one_hot(kRows, kWidth, targets.data(), y.data());
  for (size_t i = 0; i < y.size(); ++i) {
    ASSERT_EQ(y[i], targets[i / kWidth] == static_cast<int32_t>(i % kWidth) ? 1.0 : 0.0)
        << "element " << i;
  }
}

TEST(Columns, SumIsAddedTo) {
  const std::vector<double> a = matrix(1);
  const std::vector<double> b = matrix(2);
  std::vector<double> sum(kWidth, 1.0);
  columns<double, double>().sum(kRows, kWidth, a.data(), nullptr, sum.data());
  columns<double, double>().sum(kRows, kWidth, a.data(), b.data(), sum.data());
  for (size_t i = 0; i < kWidth; ++i) {
    double expected = 1;
    for (size_t row = 0; row < kSize; ++row) {
      expected += a[row * kWidth + i] * (1 + b[row * kWidth + i]);
    }
    EXPECT_NEAR(sum[i], expected, 1e-12) << "column " << i;
  }
}

TEST(Columns, SumsAreTheSameForAnyThreads) {
  const std::vector<double> a = matrix(1);
  testing::expect_same_for_any_threads([&] {
    std::vector<double> sum(kWidth);
    columns<double, double>().sum(kRows, kWidth, a.data(), a.data(), sum.data());
    return sum;
  });
}

TEST(Columns, ScaleReplacesOrAdds) {
  const std::vector<double> x = matrix(1);
  const std::vector<double> factors = testing::normal_draws(kWidth, 2);
  std::vector<double> y = matrix(3);
  columns<double, double>().scale(kRows, kWidth, x.data(), factors.data(), false, y.data());
  columns<double, double>().scale(kRows, kWidth, x.data(), factors.data(), true, y.data());
  for (size_t i = 0; i < y.size(); ++i) {
    ASSERT_NEAR(y[i], 2 * x[i] * factors[i % kWidth], 1e-14) << "element " << i;
  }
}

}  // namespace
}  // namespace ebt::kernels
