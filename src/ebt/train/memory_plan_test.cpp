#include "ebt/train/memory_plan.h"

#include <gtest/gtest.h>

namespace ebt {
namespace {

TEST(MemoryPlan, HalvesTheMicroBatchUntilItFits) {
  const auto planned = [](int64_t batch, double available) {
    return largest_fitting(
               batch,
               [&](int64_t rows) {
                 return MemoryPlan{rows, 100.0 + 10.0 * static_cast<double>(rows), available};
               })
        .micro_batch;
  };
  EXPECT_EQ(planned(24, 1000), 24);
  EXPECT_EQ(planned(24, 220), 12);
  EXPECT_EQ(planned(24, 131), 3);
  EXPECT_EQ(planned(24, 5), 1);  // refused later, with the estimate
  EXPECT_EQ(planned(1, 5), 1);
}

TEST(MemoryPlan, FitsWhereTheSystemDoesNotSay) { EXPECT_TRUE((MemoryPlan{1, 1e30, {}}.fits())); }

TEST(MemoryPlan, CountsWhatConfigurationsAdd) {
  TrainConfig config;
  config = config.resolved();
  const auto needed = [&](auto change) {
    TrainConfig changed = config;
    change(changed);
    return plan_memory<float>(changed).needed_bytes;
  };
  const double base = needed([](TrainConfig&) {});
  EXPECT_GT(base, 1e6);
  EXPECT_LT(needed([](TrainConfig& c) { c.run.micro_batch = 2; }), base);
  EXPECT_LT(needed([](TrainConfig& c) { c.run.recompute = true; }), base);
  const double replayed = needed([](TrainConfig& c) { c.thinking.replay_rows = 100; });
  const double row = 4.0 * 256 * 257;
  EXPECT_DOUBLE_EQ(replayed - base, row * (100 + 16 + 8));
}

}  // namespace
}  // namespace ebt
