#include "ebt/train/schedule.h"

#include <gtest/gtest.h>

#include <cmath>

namespace ebt {
namespace {

constexpr LearningRateSchedule kSchedule{
    .peak = 2.0, .warmup_steps = 4, .total_steps = 12, .final_fraction = 0.1};

TEST(LearningRateSchedule, RisesLinearlyToThePeak) {
  EXPECT_DOUBLE_EQ(kSchedule.at(0), 0.5);
  EXPECT_DOUBLE_EQ(kSchedule.at(1), 1.0);
  EXPECT_DOUBLE_EQ(kSchedule.at(3), 2.0);
  EXPECT_DOUBLE_EQ(kSchedule.at(4), 2.0);
}

TEST(LearningRateSchedule, FallsAlongACosineToTheFinalFraction) {
  EXPECT_NEAR(kSchedule.at(6), 0.2 + 1.8 * (1 + std::sqrt(0.5)) / 2, 1e-12);
  EXPECT_NEAR(kSchedule.at(8), 0.2 + 1.8 / 2, 1e-12);
  EXPECT_NEAR(kSchedule.at(12), 0.2, 1e-12);
  EXPECT_NEAR(kSchedule.at(100), 0.2, 1e-12);
}

TEST(LearningRateSchedule, StartsAtThePeakWithoutWarmUp) {
  const LearningRateSchedule schedule{.peak = 3, .warmup_steps = 0, .total_steps = 1};
  EXPECT_DOUBLE_EQ(schedule.at(0), 3.0);
}

TEST(LearningRateSchedule, IsAllWarmUpWhenTheRunIsShorter) {
  const LearningRateSchedule schedule{.peak = 3, .warmup_steps = 10, .total_steps = 5};
  EXPECT_DOUBLE_EQ(schedule.at(4), 1.5);
}

}  // namespace
}  // namespace ebt
