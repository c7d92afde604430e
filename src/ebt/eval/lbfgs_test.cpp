#include "ebt/eval/lbfgs.h"

#include <gtest/gtest.h>

#include <cmath>

namespace ebt {
namespace {

// A bowl ten thousand times longer than wide, around (1, 2, 3, ...).
double bowl(const std::vector<double>& x, std::vector<double>& gradient) {
  double value = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double curvature =
        std::pow(10, -4.0 * static_cast<double>(i) / static_cast<double>(x.size() - 1));
    const double distance = x[i] - static_cast<double>(i + 1);
    value += curvature / 2 * distance * distance;
    gradient[i] = curvature * distance;
  }
  return value;
}

TEST(Minimize, FindsTheBottomOfALongBowl) {
  const Minimum minimum =
      minimize(bowl, std::vector<double>(20), {.iterations = 600, .gradient_share = 1e-8}, nullptr);
  EXPECT_LT(minimum.iterations, 500);
  for (size_t i = 0; i < 20; ++i) {
    EXPECT_NEAR(minimum.x[i], static_cast<double>(i + 1), 1e-3) << i;
  }
}

TEST(Minimize, FindsWhereLogisticLossesBalance) {
  // log(1 + e^x) - 0.2 x has its minimum where the logistic function is 0.2.
  const Minimum minimum = minimize(
      [](const std::vector<double>& x, std::vector<double>& gradient) {
        gradient[0] = 1 / (1 + std::exp(-x[0])) - 0.2;
        return std::log1p(std::exp(x[0])) - 0.2 * x[0];
      },
      {5}, {.iterations = 100, .gradient_share = 1e-8}, nullptr);
  EXPECT_NEAR(minimum.x[0], std::log(0.25), 1e-6);
}

TEST(Minimize, FallsAtEveryIterationAndStopsWhenItIsTold) {
  std::vector<double> values;
  const auto remember = [&](int64_t iteration, double value) {
    values.push_back(value);
    EXPECT_EQ(iteration, static_cast<int64_t>(values.size()));
  };
  const Minimum minimum =
      minimize(bowl, std::vector<double>(20), {.iterations = 7, .gradient_share = 0}, remember);
  EXPECT_EQ(minimum.iterations, 7);
  ASSERT_EQ(values.size(), 7U);
  EXPECT_EQ(values.back(), minimum.value);
  for (size_t i = 1; i < values.size(); ++i) {
    EXPECT_LT(values[i], values[i - 1]);
  }
}

TEST(Minimize, EndsAtTheBottomItStartsFrom) {
  std::vector<double> bottom;
  for (int i = 1; i <= 20; ++i) {
    bottom.push_back(i);
  }
  const Minimum minimum = minimize(bowl, bottom, {}, nullptr);
  EXPECT_EQ(minimum.iterations, 0);
  EXPECT_EQ(minimum.x, bottom);
}

}  // namespace
}  // namespace ebt
