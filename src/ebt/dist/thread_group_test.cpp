#include "ebt/dist/thread_group.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "ebt/core/error.h"
#include "tests/support/error_text.h"
#include "tests/support/group_contract.h"

namespace ebt {
namespace {

TEST(ThreadGroup, KeepsTheContractOfGroupsForAnyNumberOfRanks) {
  for (const int size : {1, 2, 3, 4, 5, 8}) {
    std::atomic<int> ranks = 0;
    run_thread_ranks(size, [&](Group& group) {
      EXPECT_EQ(group.size(), size);
      ranks += 1 << group.rank();
      testing::expect_keeps_contract(group, 100'000);
    });
    EXPECT_EQ(ranks, (1 << size) - 1);
  }
}

TEST(ThreadGroup, LetsNoRankPassABarrierBeforeTheLastHasReachedIt) {
  std::atomic<int> reached = 0;
  run_thread_ranks(7, [&](Group& group) {
    for (int round = 1; round <= 50; ++round) {
      ++reached;
      group.barrier();
      EXPECT_GE(reached, 7 * round);
      group.barrier();
    }
  });
}

TEST(ThreadGroup, NamesTheRankThatEndedWhileOthersWaitedForIt) {
  std::atomic<int> told = 0;
  run_thread_ranks(4, [&](Group& group) {
    if (group.rank() == 2) {
      return;
    }
    std::byte value{};
    EXPECT_EQ(testing::error_text([&] {
                group.exchange(2, {}, {&value, 1});
              }),
              "rank 2 ended while rank " + std::to_string(group.rank()) + " waited for it");
    ++told;
  });
  EXPECT_EQ(told, 3);
}

TEST(ThreadGroup, PassesOnWhatTheFirstRankToFailThrew) {
  const std::string text = testing::error_text([] {
    run_thread_ranks(4, [&](Group& group) {
      EBT_CHECK(group.rank() != 1, "the disk of rank 1 is full");
      group.barrier();
    });
  });
  EXPECT_EQ(text, "the disk of rank 1 is full");
}

TEST(ThreadGroup, RefusesMessagesOfAnotherSizeThanExpected) {
  const std::string text = testing::error_text([] {
    run_thread_ranks(2, [&](Group& group) {
      std::vector<std::byte> values(3);
      const size_t size = group.rank() == 0 ? 3 : 2;
      group.exchange(1 - group.rank(), std::span(values).first(3), std::span(values).first(size));
    });
  });
  EXPECT_EQ(text, "rank 0 sent 3 bytes where rank 1 expected 2");
}

TEST(Group, RefusesPartnersAndRootsThatAreNone) {
  Group& group = lone_group();
  EXPECT_EQ(testing::error_text([&] { group.exchange(0, {}, {}); }),
            "exchange: rank 0 of 1 has no partner 0");
  EXPECT_EQ(testing::error_text([&] { group.broadcast({}, 1); }),
            "broadcast: there is no rank 1 of 1");
}

}  // namespace
}  // namespace ebt
