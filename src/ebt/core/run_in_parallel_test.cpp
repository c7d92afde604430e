#include <gtest/gtest.h>
#include <omp.h>

#include <atomic>
#include <vector>

#include "ebt/core/error.h"
#include "ebt/core/threads.h"

namespace ebt {
namespace {

TEST(RunInParallel, CallsEveryPartOnceWithOneThreadToUse) {
  const int threads = omp_get_max_threads();
  std::vector<int> calls(100);
  std::atomic<int> most_threads{0};
  run_in_parallel(100, [&](int64_t part) {
    ++calls[static_cast<size_t>(part)];
    if (omp_get_max_threads() > most_threads) {
      most_threads = omp_get_max_threads();
    }
  });
  EXPECT_EQ(calls, std::vector<int>(100, 1));
  EXPECT_EQ(most_threads, 1);
  EXPECT_EQ(omp_get_max_threads(), threads);
}

TEST(RunInParallel, ThrowsWhatAPartThrowsAfterTheOthersHaveEnded) {
  std::atomic<int> ended{0};
  const auto part = [&](int64_t number) {
    EBT_CHECK(number != 3, "part {} failed", number);
    ++ended;
  };
  EXPECT_THROW(run_in_parallel(10, part), Error);
  EXPECT_EQ(ended, 9);
}

}  // namespace
}  // namespace ebt
