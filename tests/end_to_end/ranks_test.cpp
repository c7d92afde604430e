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

class SharedRun : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = why_no_mpi(); !reason.empty()) {
      GTEST_SKIP() << reason;
    }
    data_ = folder_.write("text", real_text());
  }
  // `ebt train` in four grains.
  Arguments training(const std::string& name, const Arguments& more = {}) const {
    Arguments arguments = tiny_training(data_, folder_.path() / name, more);
    arguments.insert(arguments.end(), {"--grains", "4"});
    return arguments;
  }
  static std::string program(const Arguments& arguments) {
    return "'" EBT_BINARY "' " + joined(arguments);
  }
  void expect_same_runs(const std::string& a, const std::string& b) const {
    EXPECT_TRUE(read_file(folder_.path() / a / "model.safetensors") ==
                read_file(folder_.path() / b / "model.safetensors"))
        << a << ", " << b;
    EXPECT_EQ(metrics_without_clock(folder_.path() / a), metrics_without_clock(folder_.path() / b));
  }
  // Starts a long run on two ranks, and once it has saved a checkpoint does `then` to them, a line
  // of the shell in which $job is the process of mpirun.
  JobOutcome disturbed_run(const std::string& name, const std::string& then) const {
    return run_line(
        mpi_launcher(2) + program(training(name, long_run())) + "& job=$!; cd '" +
        (folder_.path() / name).string() + "' 2>/dev/null || { sleep 1; cd '" +
        (folder_.path() / name).string() +
        "'; }; "
        "until [ -e metrics.jsonl ] && [ $(wc -l <metrics.jsonl) -gt 20 ]; do sleep 0.05; "
        "done; " +
        then + "; wait $job");
  }
  static Arguments long_run() { return {"--steps", "400", "--validate-every", "400"}; }

  TemporaryFolder folder_;
  std::string data_;
};

TEST_F(SharedRun, LeavesTheSameModelForAnyNumberOfRanks) {
  for (const char* precision : {"fp32", "bf16"}) {
    const std::string alone = std::string("alone-") + precision;
    const Outcome outcome = run_ebt(training(alone, {"--precision", precision}));
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    for (const int ranks : {1, 2, 4}) {
      const std::string name = std::to_string(ranks) + precision;
      const JobOutcome job =
          run_mpi_job(ranks, program(training(name, {"--precision", precision})));
      ASSERT_EQ(job.exit_code, 0) << job.output;
      // One of them speaks.
      EXPECT_EQ(job.output.find("finished step 12"), job.output.rfind("finished step 12"));
      expect_same_runs(name, alone);
    }
  }
}

TEST_F(SharedRun, EndsWithARankThatIsKilledAndGoesOnFromItsCheckpoint) {
  ASSERT_EQ(run_ebt(training("alone", long_run())).exit_code, 0);
  int runs = 0;
  // Rank 0 says in the folder which process it is; of the other, mpirun is the parent.
  for (const char* victim : {"$(cut -d' ' -f1 .lock)", "$(ps -o pid= --ppid $job | tail -1)"}) {
    const std::string name = "run" + std::to_string(++runs);
    const JobOutcome job = disturbed_run(name, std::string("kill -KILL ") + victim);
    EXPECT_NE(job.exit_code, 0) << job.output;
    const JobOutcome rest =
        run_mpi_job(4, program({"train", "--resume", (folder_.path() / name).string()}));
    EXPECT_EQ(rest.exit_code, 0) << job.output << rest.output;
    expect_same_runs(name, "alone");
  }
}

TEST_F(SharedRun, IsStoppedByASignalAndGoesOnWithoutALauncher) {
  ASSERT_EQ(run_ebt(training("alone", long_run())).exit_code, 0);
  const JobOutcome job = disturbed_run("run", "kill -USR1 $job");
  EXPECT_EQ(job.exit_code, 0) << job.output;
  EXPECT_NE(job.output.find("stopped by SIGUSR1, and saved"), std::string::npos) << job.output;
  EXPECT_EQ(run_ebt({"train", "--resume", folder_.file("run")}).exit_code, 0);
  expect_same_runs("run", "alone");
}

TEST_F(SharedRun, ReadsNoStream) {
  const JobOutcome job = run_line("cat '" + data_ + "' | " + mpi_launcher(2) +
                                  program(training("run", {"--data", "-"})));
  EXPECT_NE(job.exit_code, 0);
  EXPECT_NE(job.output.find("--data: 2 ranks cannot read one stream"), std::string::npos)
      << job.output;
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "run"));
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
