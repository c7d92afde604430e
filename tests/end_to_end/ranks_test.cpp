// The program as a launcher of many processes starts it.
#include <gtest/gtest.h>

#include "tests/end_to_end/program.h"
#include "tests/support/mpi_job.h"

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
    EXPECT_EQ(outcome.err.find(std::string("ebt: ") + (rank == 0 ? "" : "rank 1: ") +
                               "mpirun started 2 processes, and 'ebt eval' is the work of "
                               "one: start it without mpirun"),
              0U)
        << outcome.err;
  }
  // The launcher alone changes nothing.
  EXPECT_EQ(run_ebt(command, as_rank(0, 1)).err.find("mpirun"), std::string::npos);
  EXPECT_EQ(run_ebt({"lab", "compare"}, as_rank(0, 2)).err.find("mpirun"), std::string::npos);
}

// Words of a command line for the shell.
std::string joined(const Arguments& arguments) {
  std::string line;
  for (const std::string& argument : arguments) {
    line += "'" + argument + "' ";
  }
  return line;
}

TEST(Ranks, TrainOneModelThatIsTheSameForAnyNumberOfThem) {
  if (const std::string reason = why_no_mpi(); !reason.empty()) {
    GTEST_SKIP() << reason;
  }
  const TemporaryFolder folder;
  const std::string data = folder.write("text", real_text());
  for (const char* precision : {"fp32", "bf16"}) {
    const auto training = [&](const std::string& name) {
      return tiny_training(data, folder.path() / name,
                           {"--grains", "4", "--batch", "4", "--steps", "5", "--overwrite",
                            "--precision", precision, "--threads", "1"});
    };
    const Outcome alone = run_ebt(training("alone"));
    ASSERT_EQ(alone.exit_code, 0) << alone.err;
    for (const int ranks : {1, 2, 4}) {
      const std::string name = std::to_string(ranks);
      const JobOutcome job = run_mpi_job(ranks, "'" EBT_BINARY "' " + joined(training(name)));
      ASSERT_EQ(job.exit_code, 0) << job.output;
      // One of them speaks.
      EXPECT_EQ(job.output.find("finished step 5"), job.output.rfind("finished step 5"));
      EXPECT_TRUE(read_file(folder.path() / name / "model.safetensors") ==
                  read_file(folder.path() / "alone" / "model.safetensors"))
          << ranks << " ranks, " << precision;
      EXPECT_EQ(metrics_without_clock(folder.path() / name),
                metrics_without_clock(folder.path() / "alone"));
    }
  }
}

TEST(Ranks, AreRefusedInOneSentenceWhereTheyCannotShare) {
  if (const std::string reason = why_no_mpi(); !reason.empty()) {
    GTEST_SKIP() << reason;
  }
  const TemporaryFolder folder;
  const std::string data = folder.write("text", real_text());
  const JobOutcome job =
      run_mpi_job(2, "'" EBT_BINARY "' " + joined(tiny_training(data, folder.path() / "run")));
  EXPECT_NE(job.exit_code, 0);
  const std::string sentence = "2 ranks cannot share a batch of --grains 1";
  EXPECT_NE(job.output.find(sentence), std::string::npos) << job.output;
  EXPECT_EQ(job.output.find(sentence), job.output.rfind(sentence)) << job.output;
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "run" / "model.safetensors"));
}

}  // namespace
}  // namespace ebt::testing
