#include "ebt/train/memory_plan.h"

#include <gtest/gtest.h>

#include <vector>

#include "ebt/train/text_task.h"
#include "tests/support/error_text.h"

namespace ebt {
namespace {

using testing::error_text;

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
  TextTrainConfig config;
  config = config.resolved();
  const auto needed = [&](auto change) {
    TextTrainConfig changed = config;
    change(changed);
    return plan_memory<TextTask<float>>(changed).needed_bytes;
  };
  const double base = needed([](TextTrainConfig&) {});
  EXPECT_GT(base, 1e6);
  EXPECT_LT(needed([](TextTrainConfig& c) { c.run.micro_batch = 2; }), base);
  EXPECT_LT(needed([](TextTrainConfig& c) { c.run.recompute = true; }), base);
  const double replayed = needed([](TextTrainConfig& c) { c.thinking.replay_rows = 100; });
  const double row = 4.0 * 256 * 257;
  const double kMiB = 1 << 20;
  EXPECT_NEAR(replayed - base, row * (100 + 16 + 8), kMiB);
  EXPECT_NEAR(plan_memory<TextTask<float>>(config, size_t{300} << 20U).needed_bytes - base,
              300 * kMiB, kMiB);
  // What the process holds is needed and available alike.
  const std::vector<char> held(size_t{64} << 20U, 1);
  EXPECT_NEAR(needed([](TextTrainConfig&) {}) - base, 64 * kMiB, kMiB);
}

TEST(MemoryPlan, RefusesWithBothAmountsAndWhatToLower) {
  EXPECT_EQ(error_text([] {
              MemoryPlan{1, 3e9, 2e9}.check_fits("micro-batch (1)");
            }),
            "this run needs about 2.79 GiB of memory, and 1.86 GiB are available: lower "
            "micro-batch (1)");
  EXPECT_EQ(error_text([] { MemoryPlan{1, 2e9, 3e9}.check_fits("nothing"); }), "no error");
}

}  // namespace
}  // namespace ebt
