#include "ebt/kernels/modulation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/support/numeric.h"

namespace ebt::kernels {
namespace {

constexpr int64_t kCount = 10'007;  // more than one thread does alone

double silu(double x) { return x / (1 + std::exp(-x)); }

TEST(Modulation, SiluVjpIsItsDerivative) {
  const std::vector<double> x = testing::normal_draws(kCount, 1);
  const std::vector<double> y_bar = testing::normal_draws(kCount, 2);
  std::vector<double> y(x.size());
  std::vector<double> x_bar = y_bar;
  modulation<double>().silu(kCount, x.data(), y.data());
  modulation<double>().silu_vjp(kCount, x.data(), x_bar.data(), false, x_bar.data());
  std::vector<double> added = y_bar;
  modulation<double>().silu_vjp(kCount, x.data(), y_bar.data(), true, added.data());
  for (size_t i = 0; i < x.size(); ++i) {
    ASSERT_EQ(y[i], silu(x[i])) << "element " << i;
    const double slope = (silu(x[i] + 1e-5) - silu(x[i] - 1e-5)) / 2e-5;
    ASSERT_NEAR(x_bar[i], y_bar[i] * slope, 1e-9) << "element " << i;
    ASSERT_NEAR(added[i], y_bar[i] * (1 + slope), 1e-9) << "element " << i;
  }
}

TEST(Modulation, OneIsAddedToPartsOfRows) {
  constexpr int64_t kRows = 7;
  constexpr int64_t kStride = 3000;
  constexpr int64_t kWidth = 1000;
  const std::vector<double> before = testing::normal_draws(kRows * kStride, 1);
  std::vector<double> x = before;
  modulation<double>().add_one(kRows, kWidth, kStride, x.data() + kWidth);
  for (size_t i = 0; i < x.size(); ++i) {
    ASSERT_EQ(x[i], before[i] + (i % kStride / kWidth == 1 ? 1.0 : 0.0)) << "element " << i;
  }
}

TEST(Modulation, GainsAndTheirCotangentsArePairedRight) {
  const std::vector<double> weight = testing::normal_draws(kCount, 1);
  const std::vector<double> scale = testing::normal_draws(kCount, 2);
  const std::vector<double> gain_bar = testing::normal_draws(kCount, 3);
  std::vector<double> gain(weight.size());
  std::vector<double> weight_bar(weight.size(), 5.0);
  std::vector<double> scale_bar(weight.size());
  modulation<double>().gain(kCount, weight.data(), scale.data(), gain.data());
  modulation<double>().gain_vjp(kCount, weight.data(), scale.data(), gain_bar.data(),
                                weight_bar.data(), scale_bar.data());
  for (size_t i = 0; i < gain.size(); ++i) {
    ASSERT_EQ(gain[i], weight[i] * (1 + scale[i])) << "element " << i;
    ASSERT_EQ(weight_bar[i], 5.0 + gain_bar[i] * (1 + scale[i])) << "element " << i;
    ASSERT_EQ(scale_bar[i], gain_bar[i] * weight[i]) << "element " << i;
  }
}

}  // namespace
}  // namespace ebt::kernels
