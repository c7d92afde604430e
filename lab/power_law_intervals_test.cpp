#include "lab/power_law_intervals.h"

#include <gtest/gtest.h>

#include "ebt/kernels/rng.h"
#include "tests/support/error_text.h"

namespace ebt {
namespace {

using testing::error_text;

// Data set `number`: three runs at each of four sizes with normal noise of log L.
std::vector<ScalePoint> noisy_runs(const PowerLaw& law, double deviation, uint64_t number,
                                   const std::vector<double>& sizes = {1e6, 1e7, 1e8, 1e9},
                                   int64_t runs_each = 3) {
  std::vector<double> noise(sizes.size() * static_cast<size_t>(runs_each));
  RandomStream{11, RandomPurpose::kTestNoise, number}.normal(
      0, Tensor<double>{noise.data(), {static_cast<int64_t>(noise.size())}}, deviation);
  std::vector<ScalePoint> runs;
  for (size_t i = 0; i < noise.size(); ++i) {
    const double x = sizes[i % sizes.size()];
    runs.push_back({x, law.at(x) * std::exp(noise[i])});
  }
  return runs;
}

// How often of `sets` an interval contains what it should: a share.
template <class Contains>
double coverage(uint64_t sets, Contains&& contains) {
  double hits = 0;
  for (uint64_t number = 0; number < sets; ++number) {
    hits += contains(number) ? 1 : 0;
  }
  return hits / static_cast<double>(sets);
}

constexpr BootstrapOptions kQuick = {.resamples = 1000};
const PowerLaw kLaw = {std::log(12.0), 0.09, 0};

TEST(PowerLawIntervals, ContainTheTruthAsOftenAsTheyClaim) {
  // Of 400 sets, a deviation of a share of 0.95 is 0.011.
  EXPECT_NEAR(coverage(400,
                       [](uint64_t number) {
                         return estimate_power_law(noisy_runs(kLaw, 0.02, number),
                                                   IrreducibleLoss::kNone, kQuick)
                             .b.contains(kLaw.b);
                       }),
              0.95, 0.03);
  BootstrapOptions half = kQuick;
  half.confidence = 0.5;
  EXPECT_NEAR(coverage(400,
                       [&](uint64_t number) {
                         return estimate_power_law(noisy_runs(kLaw, 0.02, number),
                                                   IrreducibleLoss::kNone, half)
                             .log_a.contains(kLaw.log_a);
                       }),
              0.5, 0.07);
}

TEST(PowerLawIntervals, AreWideEnoughForFiveRuns) {
  BootstrapOptions options = kQuick;
  options.resamples = 4000;
  EXPECT_NEAR(
      coverage(
          300,
          [&](uint64_t number) {
            const auto runs = noisy_runs(kLaw, 0.02, number, {1e6, 3e6, 1e7, 3e7, 1e8}, 1);
            return estimate_power_law(runs, IrreducibleLoss::kNone, options).b.contains(kLaw.b);
          }),
      0.95, 0.06);
}

TEST(PowerLawIntervals, ContainTheIrreducibleLossAboutAsOftenAsTheyClaim) {
  const PowerLaw law = {std::log(300.0), 0.4, 1.7};
  EXPECT_NEAR(coverage(100,
                       [&](uint64_t number) {
                         const auto runs = noisy_runs(law, 0.01, number, {1e4, 1e5, 1e6, 1e7}, 4);
                         return estimate_power_law(runs, IrreducibleLoss::kFitted,
                                                   {.resamples = 400})
                             .c.contains(law.c);
                       }),
              0.95, 0.07);
}

TEST(PowerLawIntervals, MeasureTheNoise) {
  double sum = 0;
  for (uint64_t number = 0; number < 200; ++number) {
    const double one = estimate_power_law(noisy_runs(kLaw, 0.02, number), IrreducibleLoss::kNone,
                                          {.resamples = 100})
                           .log_deviation;
    sum += one * one / 200;
  }
  EXPECT_NEAR(std::sqrt(sum), 0.02, 0.001);
}

TEST(PowerLawIntervals, FollowFromTheSeed) {
  const auto runs = noisy_runs(kLaw, 0.02, 1);
  const auto with_seed = [&](uint64_t seed) {
    BootstrapOptions options = kQuick;
    options.seed = seed;
    return estimate_power_law(runs, IrreducibleLoss::kNone, options).b;
  };
  EXPECT_EQ(with_seed(1).low, with_seed(1).low);
  EXPECT_EQ(with_seed(1).high, with_seed(1).high);
  EXPECT_NE(with_seed(1).low, with_seed(2).low);
}

TEST(PowerLawComparison, ContainsRatioAndCrossingAsOftenAsItClaims) {
  // A third steeper, and below from 10^10 on.
  const PowerLaw steep = {kLaw.log_a + 0.03 * std::log(1e10), 0.12, 0};
  int64_t ratios = 0;
  int64_t crossings = 0;
  int64_t intervals = 0;
  constexpr int64_t kSets = 300;
  for (uint64_t number = 0; number < kSets; ++number) {
    const PowerLawComparison comparison =
        compare_power_laws(noisy_runs(steep, 0.01, 2 * number),
                           noisy_runs(kLaw, 0.01, 2 * number + 1), IrreducibleLoss::kNone, kQuick);
    ratios += comparison.slope_ratio_interval.contains(4.0 / 3) ? 1 : 0;
    if (comparison.crossing.interval) {
      ++intervals;
      crossings += comparison.crossing.interval->contains(1e10) ? 1 : 0;
    }
  }
  EXPECT_NEAR(static_cast<double>(ratios) / kSets, 0.95, 0.035);
  EXPECT_EQ(intervals, kSets);
  EXPECT_NEAR(static_cast<double>(crossings) / kSets, 0.95, 0.035);
}

TEST(PowerLawComparison, DrawsTheNoiseOfBothSetsIndependently) {
  const auto runs = noisy_runs(kLaw, 0.02, 1);
  const PowerLawComparison comparison =
      compare_power_laws(runs, runs, IrreducibleLoss::kNone, kQuick);
  EXPECT_EQ(comparison.slope_ratio, 1);
  EXPECT_LT(comparison.slope_ratio_interval.low, 0.98);
  EXPECT_GT(comparison.slope_ratio_interval.high, 1.02);
}

TEST(PowerLawComparison, SaysThatParallelsDoNotCross) {
  const PowerLaw above = {kLaw.log_a + 0.5, kLaw.b, 0};
  const PowerLawComparison comparison =
      compare_power_laws(noisy_runs(above, 0.01, 1), noisy_runs(kLaw, 0.01, 2),
                         IrreducibleLoss::kNone, {.resamples = 1000, .reach = 10});
  EXPECT_FALSE(comparison.crossing.x);
  EXPECT_FALSE(comparison.crossing.interval);
  EXPECT_LT(comparison.crossing.share, 0.05);
  EXPECT_TRUE(comparison.slope_ratio_interval.contains(1));
}

TEST(PowerLawComparison, GivesNoIntervalToACrossingThatManyResamplesLack) {
  // Almost parallel: the noise decides whether and where they meet.
  const PowerLaw other = {kLaw.log_a + 0.004 * std::log(1e8), kLaw.b + 0.004, 0};
  const PowerLawComparison comparison =
      compare_power_laws(noisy_runs(other, 0.05, 2), noisy_runs(kLaw, 0.05, 3),
                         IrreducibleLoss::kNone, {.resamples = 1000, .reach = 10});
  EXPECT_GT(comparison.crossing.share, 0.1);
  EXPECT_LT(comparison.crossing.share, 0.95);
  EXPECT_FALSE(comparison.crossing.interval);
}

TEST(PowerLawIntervals, SayWhatTheyCannotBeMadeFrom) {
  const auto error_of = [](const BootstrapOptions& options) {
    return error_text([&] {
      estimate_power_law({{1, 3}, {2, 2}}, IrreducibleLoss::kNone, options);
    });
  };
  EXPECT_EQ(error_of({}),
            "power law: intervals of 2 constants need more than 2 runs, and there are 2");
  EXPECT_EQ(error_of({.resamples = 99}),
            "bootstrap: 99 resamples are not between 100 and a million");
  EXPECT_EQ(error_of({.confidence = 1}), "bootstrap: a confidence of 1 is not between 0 and 1");
  EXPECT_EQ(error_of({.reach = 0.5}), "bootstrap: a reach of 0.5 is not a number from 1");
}

}  // namespace
}  // namespace ebt
