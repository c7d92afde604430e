// A run is a function of its config: threads, interruptions and kills leave no trace in it.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <random>
#include <string_view>
#include <system_error>
#include <thread>

#include "tests/end_to_end/program.h"

namespace ebt::testing {
namespace {

using Seconds = std::chrono::duration<double>;

// Every kind of state that a checkpoint holds: noise, random step counts and sizes, a replay
// buffer.
const Arguments kStateful = {"--recipe", "s2", "--replay-rows", "8"};

// The step of the newest training state in a run's folder; 0 if there is none.
int64_t checkpoint_step(const std::filesystem::path& run) {
  constexpr std::string_view kState = "training-state-";
  constexpr std::string_view kEnd = ".safetensors";
  int64_t newest = 0;
  std::error_code no_folder;
  for (const auto& entry : std::filesystem::directory_iterator(run, no_folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(kState) && name.ends_with(kEnd)) {
      newest = std::max<int64_t>(newest, std::stoll(name.substr(kState.size())));
    }
  }
  return newest;
}

class Resume : public ::testing::Test {
 protected:
  Arguments training(const std::string& name, Arguments more) const {
    more.insert(more.end(), kStateful.begin(), kStateful.end());
    return tiny_training(text_, folder_.file(name), more);
  }

  TemporaryFolder folder_;
  std::string text_ = folder_.write("text.txt", real_text());
};

TEST_F(Resume, GivesTheSameRunOnAnyNumberOfThreads) {
  ASSERT_EQ(run_ebt(training("one", {"--steps", "40"})).exit_code, 0);
  ASSERT_EQ(run_ebt(training("two", {"--steps", "40", "--threads", "2"})).exit_code, 0);
  expect_same_run(folder_.file("one"), folder_.file("two"));
}

TEST_F(Resume, ContinuesAnInterruptedRunAsIfNothingHadHappened) {
  constexpr int64_t kSteps = 300;
  const Arguments steps = {"--steps", std::to_string(kSteps)};
  ASSERT_EQ(run_ebt(training("whole", steps)).exit_code, 0);
  const std::string run = folder_.file("parts");
  int64_t taken = 0;
  // However fast the machine is: until the signal comes between two steps.
  do {
    std::filesystem::remove_all(run);
    Program program(training("parts", steps));
    while (read_file(run + "/metrics.jsonl").empty()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    program.send(SIGTERM);
    const Outcome stopped = program.wait();
    ASSERT_EQ(stopped.exit_code, 0) << stopped.err;
    taken = checkpoint_step(run);
    ASSERT_GT(taken, 0);
  } while (taken == kSteps);
  const Outcome outcome = run_ebt({"train", "--resume", run});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  expect_same_run(folder_.file("whole"), run);
}

TEST_F(Resume, SurvivesBeingKilledAtRandomMoments) {
  constexpr int kKills = 20;
  constexpr int64_t kSteps = 400;
  const Arguments steps = {"--steps", std::to_string(kSteps), "--checkpoint-every", "9"};
  const auto start = std::chrono::steady_clock::now();
  ASSERT_EQ(run_ebt(training("whole", steps)).exit_code, 0);
  const Seconds whole = std::chrono::steady_clock::now() - start;

  const std::string run = folder_.file("killed");
  const auto begin_or_resume = [&]() -> Arguments {
    if (std::filesystem::exists(run + "/config.json")) {
      return {"train", "--resume", run};
    }
    return training("killed", steps);
  };
  // Lives so short that all of them together do not finish the run.
  std::mt19937 random(7);
  std::uniform_real_distribution<double> lifetime(0.0, whole.count() / 16);
  int kills = 0;
  int from_a_checkpoint = 0;
  for (int life = 0; life < kKills; ++life) {
    const int64_t begun_at = checkpoint_step(run);
    from_a_checkpoint += begun_at > 0 ? 1 : 0;
    Program program(begin_or_resume());
    // Most lives may end before their first step: some must not.
    while (life % 4 == 0 && begun_at < kSteps && checkpoint_step(run) <= begun_at) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::this_thread::sleep_for(Seconds(lifetime(random)));
    program.send(SIGKILL);
    const Outcome outcome = program.wait();
    ASSERT_TRUE(outcome.signal == SIGKILL || outcome.exit_code == 0) << outcome.err;
    kills += outcome.signal == SIGKILL ? 1 : 0;
  }
  EXPECT_GE(kills, kKills / 2);
  EXPECT_GE(from_a_checkpoint, kKills / 2);
  const Outcome outcome = run_ebt(begin_or_resume());
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  expect_same_run(folder_.file("whole"), run);
}

TEST_F(Resume, ChangesNothingThatWouldMakeItAnotherRun) {
  ASSERT_EQ(run_ebt(training("run", {})).exit_code, 0);
  for (const std::string flag : {"--batch", "--seed", "--layers", "--learning-rate", "--out"}) {
    const Outcome outcome = run_ebt({"train", "--resume", folder_.file("run"), flag, "2"});
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_NE(outcome.err.find(flag + " cannot change with --resume"), std::string::npos)
        << outcome.err;
  }
  EXPECT_EQ(run_ebt({"train", "--resume", folder_.file("run"), "--threads", "2"}).exit_code, 0);
}

TEST_F(Resume, NoticesThatTheTextHasChanged) {
  ASSERT_EQ(run_ebt(training("run", {})).exit_code, 0);
  folder_.write("text.txt", real_text() + "more");
  const Outcome outcome = run_ebt({"train", "--resume", folder_.file("run")});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("no longer the same text"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace ebt::testing
