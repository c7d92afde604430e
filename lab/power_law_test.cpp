#include "lab/power_law.h"

#include <gtest/gtest.h>

#include "ebt/kernels/rng.h"
#include "tests/support/error_text.h"

namespace ebt {
namespace {

using testing::error_text;

std::vector<ScalePoint> runs_of(const PowerLaw& law, const std::vector<double>& sizes) {
  std::vector<ScalePoint> runs;
  runs.reserve(sizes.size());
  for (const double x : sizes) {
    runs.push_back({x, law.at(x)});
  }
  return runs;
}

void expect_law(const PowerLaw& fitted, const PowerLaw& law, double tolerance) {
  EXPECT_NEAR(fitted.log_a, law.log_a, tolerance * 10);
  EXPECT_NEAR(fitted.b, law.b, tolerance);
  EXPECT_NEAR(fitted.c, law.c, tolerance);
}

TEST(PowerLaw, IsFoundFromRunsWithoutNoise) {
  const PowerLaw law = {std::log(7.0), 0.1, 0};
  expect_law(fit_power_law(runs_of(law, {1e5, 1e9}), IrreducibleLoss::kNone), law, 1e-12);
  expect_law(fit_power_law(runs_of(law, {1e5, 1e5, 3e6, 1e9}), IrreducibleLoss::kNone), law, 1e-12);
}

TEST(PowerLaw, IsFoundWithItsIrreducibleLoss) {
  for (const double b : {0.05, 0.3, 1.0}) {
    for (const double c : {0.05, 0.7, 1.69, 3.0}) {
      const PowerLaw law = {std::log(400.0) * b * 4, b, c};
      expect_law(fit_power_law(runs_of(law, {1e4, 3e4, 1e5, 1e6, 1e7}), IrreducibleLoss::kFitted),
                 law, 2e-4);
    }
  }
}

TEST(PowerLaw, HasNoIrreducibleLossWhereRunsAreStraightOrBendDownwards) {
  const std::vector<double> sizes = {1e4, 1e5, 1e6, 1e7};
  const PowerLaw law = {2, 0.2, 0};
  const PowerLaw straight = fit_power_law(runs_of(law, sizes), IrreducibleLoss::kFitted);
  expect_law(straight, law, 1e-5);
  std::vector<ScalePoint> bent = runs_of(law, sizes);
  bent.back().loss *= 0.8;
  const PowerLaw line = fit_power_law(bent, IrreducibleLoss::kNone);
  const PowerLaw fitted = fit_power_law(bent, IrreducibleLoss::kFitted);
  expect_law(fitted, line, 1e-5);
}

double squares(const PowerLaw& law, const std::vector<ScalePoint>& runs) {
  double sum = 0;
  for (const double residual : log_residuals(law, runs)) {
    sum += residual * residual;
  }
  return sum;
}

TEST(PowerLaw, IsNearestToNoisyRuns) {
  // Whatever the noise, no neighbour of a fit is nearer, and the fit with c is no farther.
  const RandomStream random{3, RandomPurpose::kTestNoise, 0};
  uint64_t drawn = 0;
  for (int data = 0; data < 200; ++data) {
    std::vector<ScalePoint> runs;
    for (const double x : {1.0, 3.0, 10.0, 30.0, 100.0}) {
      runs.push_back({x, (0.5 + 2 / x) * std::exp(0.4 * (random.uniform(drawn++) - 0.5))});
    }
    const PowerLaw line = fit_power_law(runs, IrreducibleLoss::kNone);
    const PowerLaw curve = fit_power_law(runs, IrreducibleLoss::kFitted);
    EXPECT_LE(squares(curve, runs), squares(line, runs));
    EXPECT_GE(curve.c, 0);
    for (const double change : {-1e-3, 1e-3}) {
      EXPECT_GE(squares({line.log_a + change, line.b, 0}, runs), squares(line, runs));
      EXPECT_GE(squares({line.log_a, line.b + change, 0}, runs), squares(line, runs));
      EXPECT_GE(squares({curve.log_a + change, curve.b, curve.c}, runs), squares(curve, runs));
      EXPECT_GE(squares({curve.log_a, curve.b + change, curve.c}, runs), squares(curve, runs));
      const double c = std::max(curve.c + change, 0.0);
      EXPECT_GE(squares({curve.log_a, curve.b, c}, runs), squares(curve, runs) - 1e-12);
    }
  }
}

TEST(PowerLaw, IsTheSameInOtherUnits) {
  const std::vector<ScalePoint> runs = {{1, 4}, {2, 3.1}, {4, 2.6}, {8, 2.4}};
  std::vector<ScalePoint> larger;
  larger.reserve(runs.size());
  for (const ScalePoint& run : runs) {
    larger.push_back({run.x * 1e30, run.loss * 1e-3});
  }
  const PowerLaw law = fit_power_law(runs, IrreducibleLoss::kFitted);
  const PowerLaw same = fit_power_law(larger, IrreducibleLoss::kFitted);
  EXPECT_NEAR(same.b, law.b, 1e-5);
  EXPECT_NEAR(same.c, law.c * 1e-3, 1e-8);
  EXPECT_NEAR(same.at(5e30), law.at(5) * 1e-3, 1e-8);
}

TEST(PowerLaw, StaysFiniteWhereOneScaleAloneIsWorse) {
  const PowerLaw law = fit_power_law({{1e6, 3}, {1e7, 2}, {1e8, 2.001}, {1e9, 1.999}, {1e10, 2}},
                                     IrreducibleLoss::kFitted);
  EXPECT_NEAR(law.at(1e6), 3, 0.01);
  EXPECT_NEAR(law.at(1e10), 2, 0.01);
}

TEST(PowerLaw, SaysWhatItCannotBeFittedTo) {
  const auto error_of = [](const std::vector<ScalePoint>& runs, IrreducibleLoss irreducible) {
    return error_text([&] { fit_power_law(runs, irreducible); });
  };
  EXPECT_EQ(error_of({{1, 2}, {0, 3}}, IrreducibleLoss::kNone),
            "power law: a run of loss 3 at 0 is not of two numbers above 0");
  EXPECT_EQ(error_of({{1, 2}, {2, std::nan("")}}, IrreducibleLoss::kNone),
            "power law: a run of loss nan at 2 is not of two numbers above 0");
  EXPECT_EQ(error_of({}, IrreducibleLoss::kNone),
            "power law: 2 constants cannot be fitted to runs at 0 different x");
  EXPECT_EQ(error_of({{5, 2}, {5, 3}}, IrreducibleLoss::kNone),
            "power law: 2 constants cannot be fitted to runs at 1 different x");
  EXPECT_EQ(error_of({{5, 2}, {6, 3}, {6, 4}}, IrreducibleLoss::kFitted),
            "power law: 3 constants cannot be fitted to runs at 2 different x");
}

TEST(Crossing, IsWhereTheLawsAreEqual) {
  const PowerLaw flat = {std::log(10.0), 0.1, 0};
  const PowerLaw steep = {std::log(40.0), 0.2, 0};
  // 4 = x^0.1
  const auto x = crossing_of(flat, steep, 1, 1e9, 1e3);
  ASSERT_TRUE(x.has_value());
  EXPECT_NEAR(*x, std::pow(4, 10), 1e-3);
  EXPECT_NEAR(flat.at(*x), steep.at(*x), 1e-12);
}

TEST(Crossing, IsNotBeyondReachNorBetweenParallels) {
  const PowerLaw flat = {std::log(10.0), 0.1, 0};
  const PowerLaw steep = {std::log(40.0), 0.2, 0};
  EXPECT_FALSE(crossing_of(flat, steep, 1, 1e6, 1e3));
  EXPECT_FALSE(crossing_of(flat, steep, 2e6, 1e9, 1e3));
  EXPECT_FALSE(crossing_of(flat, {flat.log_a + 1, flat.b, 0}, 1e-300, 1e300, 1));
}

TEST(Crossing, IsTheNearerOfTwo) {
  // 1 + 4 / x against 5 / sqrt(x): equal at x = 1 and x = 16.
  const PowerLaw first = {std::log(4.0), 1, 1};
  const PowerLaw second = {std::log(5.0), 0.5, 0};
  EXPECT_NEAR(*crossing_of(first, second, 0.01, 1000, 3), 1, 1e-9);
  EXPECT_NEAR(*crossing_of(first, second, 0.01, 1000, 5), 16, 1e-9);
  EXPECT_NEAR(*crossing_of(first, second, 2, 1000, 0.1), 16, 1e-9);
  EXPECT_NEAR(*crossing_of(second, first, 0.01, 1000, 5), 16, 1e-9);
  EXPECT_FALSE(crossing_of(first, second, 2, 15, 5));
}

}  // namespace
}  // namespace ebt
