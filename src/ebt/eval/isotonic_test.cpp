#include "ebt/eval/isotonic.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace ebt {
namespace {

std::vector<double> fitted_values(std::vector<Observation> observations) {
  std::vector<double> values;
  for (const Observation& one : isotonic_regression(std::move(observations))) {
    values.push_back(one.value);
  }
  return values;
}

TEST(IsotonicRegression, KeepsWhatRises) {
  EXPECT_EQ(fitted_values({{1, 0}, {2, 0.5}, {3, 1}}), (std::vector<double>{0, 0.5, 1}));
  EXPECT_TRUE(fitted_values({}).empty());
}

TEST(IsotonicRegression, PoolsAdjacentViolators) {
  EXPECT_EQ(fitted_values({{1, 1}, {2, 3}, {3, 2}, {4, 4}}), (std::vector<double>{1, 2.5, 2.5, 4}));
  // The last violates all before it.
  EXPECT_EQ(fitted_values({{1, 2}, {2, 3}, {3, 4}, {4, -9}}), (std::vector<double>{0, 0, 0, 0}));
}

TEST(IsotonicRegression, Weighs) {
  EXPECT_EQ(fitted_values({{1, 4, 3}, {2, 0, 1}}), (std::vector<double>{3, 3}));
}

TEST(IsotonicRegression, MakesTiesOneWhateverTheirOrder) {
  const std::vector<double> expected = {0.5, 1};
  EXPECT_EQ(fitted_values({{2, 1}, {1, 1}, {1, 0}}), expected);
  EXPECT_EQ(fitted_values({{1, 0}, {1, 1}, {2, 1}}), expected);
}

TEST(IsotonicRegression, IsTheNearestRisingFunction) {
  // Against the definition: f_i = max over j <= i of min over k >= i of mean(j..k).
  std::mt19937 random(5);
  std::vector<Observation> data(40);
  for (size_t i = 0; i < data.size(); ++i) {
    data[i] = {static_cast<double>(i), static_cast<double>(random() % 100),
               static_cast<double>(1 + random() % 3)};
  }
  const std::vector<double> fitted = fitted_values(data);
  for (size_t i = 0; i < data.size(); ++i) {
    double largest = -1e9;
    for (size_t j = 0; j <= i; ++j) {
      double least = 1e9;
      double sum = 0;
      double weight = 0;
      for (size_t k = j; k < data.size(); ++k) {
        sum += data[k].weight * data[k].value;
        weight += data[k].weight;
        least = k >= i ? std::min(least, sum / weight) : least;
      }
      largest = std::max(largest, least);
    }
    EXPECT_NEAR(fitted[i], largest, 1e-9) << i;
  }
}

TEST(IsotonicKnots, AreMeansOfEqualWeight) {
  const std::vector<Observation> knots = isotonic_knots({{1, 0}, {2, 0.2}, {3, 0.4}, {5, 1}}, 2);
  ASSERT_EQ(knots.size(), 2U);
  EXPECT_DOUBLE_EQ(knots[0].x, 1.5);
  EXPECT_DOUBLE_EQ(knots[0].value, 0.1);
  EXPECT_DOUBLE_EQ(knots[1].x, 4);
  EXPECT_DOUBLE_EQ(knots[1].value, 0.7);
}

TEST(IsotonicKnots, AreNotSmallBehindALargeOne) {
  std::vector<Observation> fitted = {{0, 0.1, 60}};
  for (int i = 1; i <= 40; ++i) {
    fitted.push_back({static_cast<double>(i), 0.5});
  }
  const std::vector<Observation> knots = isotonic_knots(fitted, 10);
  ASSERT_EQ(knots.size(), 5U);
  for (size_t i = 1; i < knots.size(); ++i) {
    EXPECT_EQ(knots[i].weight, 10);
  }
}

TEST(IsotonicKnots, LeaveNoSmallRest) {
  const std::vector<Observation> knots = isotonic_knots({{1, 0, 50}, {2, 0.5, 47}, {3, 1, 3}}, 4);
  ASSERT_EQ(knots.size(), 2U);
  EXPECT_EQ(knots[0].weight, 50);
  EXPECT_EQ(knots[1].weight, 50);
  EXPECT_DOUBLE_EQ(knots[1].value, (0.5 * 47 + 3) / 50);
}

TEST(IsotonicKnots, AreFewAndRiseAndKeepTheMean) {
  std::mt19937 random(6);
  std::vector<Observation> data;
  double mean = 0;
  for (int i = 0; i < 1000; ++i) {
    const double x = static_cast<double>(random() % 300);
    const double value = random() % 300 < static_cast<unsigned>(x) ? 1 : 0;
    data.push_back({x, value});
    mean += value / 1000;
  }
  for (const int64_t count : {1, 3, 64, 5000}) {
    const std::vector<Observation> knots = isotonic_knots(isotonic_regression(data), count);
    EXPECT_LE(knots.size(), static_cast<size_t>(std::min<int64_t>(count, 300)));
    double knot_mean = 0;
    for (size_t i = 0; i < knots.size(); ++i) {
      knot_mean += knots[i].value * knots[i].weight / 1000;
      if (i > 0) {
        EXPECT_GT(knots[i].x, knots[i - 1].x);
        EXPECT_GE(knots[i].value, knots[i - 1].value);
      }
    }
    EXPECT_NEAR(knot_mean, mean, 1e-9);
  }
}

}  // namespace
}  // namespace ebt
