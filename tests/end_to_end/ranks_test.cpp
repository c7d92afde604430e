// The program as a launcher of many processes starts it.
#include <gtest/gtest.h>

#include "tests/end_to_end/program.h"

namespace ebt::testing {
namespace {

Limits as_rank(int rank, int size) {
  return {.environment = {"OMPI_COMM_WORLD_RANK=" + std::to_string(rank),
                          "OMPI_COMM_WORLD_SIZE=" + std::to_string(size)}};
}

TEST(Ranks, AreRefusedByCommandsThatAreTheWorkOfOneProcess) {
  const TemporaryFolder folder;
  const Arguments command{"eval", "--model", folder.file("model")};
  for (const int rank : {0, 1}) {
    const Outcome outcome = run_ebt(command, as_rank(rank, 2));
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_EQ(outcome.err.find("ebt: mpirun started 2 processes, and 'ebt eval' is the work of "
                               "one: start it without mpirun"),
              0U)
        << outcome.err;
  }
  // The launcher alone changes nothing.
  EXPECT_EQ(run_ebt(command, as_rank(0, 1)).err.find("mpirun"), std::string::npos);
  EXPECT_EQ(run_ebt({"lab", "compare"}, as_rank(0, 2)).err.find("mpirun"), std::string::npos);
}

}  // namespace
}  // namespace ebt::testing
