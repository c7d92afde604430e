// A run is a function of its config: threads, interruptions and kills leave no trace in it.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <random>
#include <thread>

#include "tests/end_to_end/program.h"

namespace ebt::testing {
namespace {

using Seconds = std::chrono::duration<double>;

// Every kind of state that a checkpoint holds: noise, random step counts and sizes, a replay
// buffer.
const Arguments kStateful = {"--recipe", "s2", "--replay-rows", "8"};

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
  const Arguments steps = {"--steps", "300"};
  ASSERT_EQ(run_ebt(training("whole", steps)).exit_code, 0);
  Program program(training("parts", steps));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  program.send(SIGTERM);
  const Outcome stopped = program.wait();
  ASSERT_TRUE(stopped.exit_code == 0 || stopped.signal == SIGTERM) << stopped.err;
  if (std::filesystem::exists(folder_.file("parts/config.json"))) {
    const Outcome outcome = run_ebt({"train", "--resume", folder_.file("parts")});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  } else {
    ASSERT_EQ(run_ebt(training("parts", steps)).exit_code, 0);
  }
  expect_same_run(folder_.file("whole"), folder_.file("parts"));
}

TEST_F(Resume, SurvivesBeingKilledAtRandomMoments) {
  constexpr int kKills = 20;
  const Arguments steps = {"--steps", "400", "--checkpoint-every", "9"};
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
  for (int life = 0; life < kKills; ++life) {
    Program program(begin_or_resume());
    std::this_thread::sleep_for(Seconds(lifetime(random)));
    program.send(SIGKILL);
    const Outcome outcome = program.wait();
    ASSERT_TRUE(outcome.signal == SIGKILL || outcome.exit_code == 0) << outcome.err;
    kills += outcome.signal == SIGKILL ? 1 : 0;
  }
  EXPECT_GE(kills, kKills / 2);
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
