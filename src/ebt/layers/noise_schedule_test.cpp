#include "ebt/layers/noise_schedule.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/error_text.h"

namespace ebt::testing {
namespace {

TEST(NoiseSchedule, StartsNearlyCleanAndEndsNearlyAsNoise) {
  const NoiseSchedule schedule;
  EXPECT_EQ(schedule.steps(), 1000);
  EXPECT_DOUBLE_EQ(schedule.beta(0), 1e-4);
  EXPECT_DOUBLE_EQ(schedule.beta(999), 2e-2);
  EXPECT_DOUBLE_EQ(schedule.kept(-1), 1.0);
  EXPECT_DOUBLE_EQ(schedule.kept(0), 1.0 - 1e-4);
  EXPECT_LT(schedule.kept(999), 1e-4);
  for (int64_t t = 0; t < 1000; ++t) {
    EXPECT_LT(schedule.kept(t), schedule.kept(t - 1));
    const double signal = schedule.signal(t);
    const double noise = schedule.noise(t);
    EXPECT_NEAR(signal * signal + noise * noise, 1.0, 1e-15);
  }
}

TEST(NoiseSchedule, IsProportionallyFasterWithFewerSteps) {
  const NoiseSchedule schedule(100);
  EXPECT_DOUBLE_EQ(schedule.beta(0), 1e-3);
  EXPECT_DOUBLE_EQ(schedule.beta(99), 0.2);
}

// The variance of x_{t-1} given x_t and x_0, from the precisions of its two sources.
TEST(NoiseSchedule, KnowsTheVarianceOfAStepBack) {
  const NoiseSchedule schedule;
  for (const int64_t t : {1, 50, 999}) {
    const double from_clean = 1.0 / (1.0 - schedule.kept(t - 1));
    const double from_noisy = (1.0 - schedule.beta(t)) / schedule.beta(t);
    EXPECT_NEAR(schedule.posterior_variance(t) * (from_clean + from_noisy), 1.0, 1e-12);
    EXPECT_DOUBLE_EQ(schedule.posterior_log_variance(t), std::log(schedule.posterior_variance(t)));
  }
  EXPECT_EQ(schedule.posterior_variance(0), 0.0);
  EXPECT_EQ(schedule.posterior_log_variance(0), schedule.posterior_log_variance(1));
}

TEST(NoiseSchedule, FindsStepsByLevelAndByDeviation) {
  const NoiseSchedule schedule;
  EXPECT_EQ(schedule.step_of_level(0.1), 99);
  EXPECT_EQ(schedule.step_of_level(0.2), 199);
  EXPECT_EQ(schedule.step_of_level(1.0), 999);
  EXPECT_EQ(schedule.step_of_level(1e-9), 0);
  EXPECT_EQ(error_text([&] { schedule.step_of_level(0); }), "noise level: 0 is not in (0, 1]");
  EXPECT_EQ(error_text([&] { schedule.step_of_level(1.5); }), "noise level: 1.5 is not in (0, 1]");
  for (const int64_t t : {0, 99, 500}) {
    EXPECT_EQ(schedule.step_of_deviation(schedule.noise(t) / schedule.signal(t)), t);
  }
  EXPECT_EQ(schedule.step_of_deviation(0), 0);
  EXPECT_EQ(error_text([&] { schedule.step_of_deviation(-1); }),
            "noise: a standard deviation of -1 is negative or not finite");
}

}  // namespace
}  // namespace ebt::testing
