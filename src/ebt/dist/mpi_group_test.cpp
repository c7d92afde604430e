// Tests whose names begin with DISABLED_ are what the others start on many ranks.
#include "ebt/dist/mpi_group.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "ebt/core/error.h"
#include "tests/support/error_text.h"
#include "tests/support/group_contract.h"
#include "tests/support/mpi_job.h"

namespace ebt {
namespace {

testing::JobOutcome run_ranks_of(const std::string& test, int ranks) {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  return testing::run_mpi_job(ranks, "'" + self +
                                         "' --gtest_also_run_disabled_tests "
                                         "--gtest_filter=MpiRank.DISABLED_" +
                                         test);
}

TEST(MpiRank, DISABLED_KeepsTheContract) {
  const auto group = join_mpi_group();
  testing::expect_keeps_contract(*group, (size_t{9} << 20U) + 3);
}

TEST(MpiRank, DISABLED_DiesWhileOthersWait) {
  const auto group = join_mpi_group();
  if (group->rank() == 1) {
    _exit(7);
  }
  group->barrier();
}

TEST(MpiRank, DISABLED_WaitsForOneThatHangs) {
  const auto group = join_mpi_group(0.2);
  if (group->rank() == 1) {
    sleep(1);
  } else {
    std::byte value{};
    EXPECT_EQ(testing::error_text([&] {
                group->exchange(1, {}, {&value, 1});
              }),
              "rank 1 has not answered rank " + std::to_string(group->rank()) + " for 0.2 s");
  }
  // What is expected and never comes cannot be finalised.
  fflush(stdout);
  _exit(::testing::Test::HasFailure() ? 1 : 0);
}

TEST(MpiGroup, KeepsTheContractOfGroupsForAnyNumberOfRanks) {
  if (const std::string reason = testing::why_no_mpi(); !reason.empty()) {
    GTEST_SKIP() << reason;
  }
  for (const int ranks : {1, 2, 3, 4}) {
    const testing::JobOutcome outcome = run_ranks_of("KeepsTheContract", ranks);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
    EXPECT_NE(outcome.output.find("1 test from 1 test suite ran"), std::string::npos);
  }
}

TEST(MpiGroup, EndsTheJobWhereARankDies) {
  if (const std::string reason = testing::why_no_mpi(); !reason.empty()) {
    GTEST_SKIP() << reason;
  }
  const testing::JobOutcome outcome = run_ranks_of("DiesWhileOthersWait", 3);
  EXPECT_EQ(outcome.exit_code, 7) << outcome.output;
}

TEST(MpiGroup, NamesTheRankThatDoesNotAnswer) {
  if (const std::string reason = testing::why_no_mpi(); !reason.empty()) {
    GTEST_SKIP() << reason;
  }
  const testing::JobOutcome outcome = run_ranks_of("WaitsForOneThatHangs", 3);
  EXPECT_EQ(outcome.output.find("FAILED"), std::string::npos) << outcome.output;
  EXPECT_NE(outcome.output.find("RUN "), std::string::npos) << outcome.output;
}

TEST(MpiGroup, SaysWhereItIsNotBuiltIn) {
  if (has_mpi()) {
    GTEST_SKIP() << "built with MPI";
  }
  EXPECT_EQ(testing::error_text([] { join_mpi_group(); }),
            "this program was built without MPI (Debian: libopenmpi-dev), and cannot run on many "
            "ranks");
}

}  // namespace
}  // namespace ebt
