// What happens to a training run when it is asked to end, or when nobody listens any longer.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>

#include "tests/end_to_end/program.h"

namespace ebt::testing {
namespace {

using std::chrono::milliseconds;

constexpr auto kPoll = milliseconds(5);

class RunEnding : public ::testing::Test {
 protected:
  Arguments training(const std::string& name, const Arguments& more = {}) const {
    return tiny_training(text_, folder_.file(name), more);
  }
  // A run without an end, once it has taken steps.
  void wait_for_steps(const std::string& name) const {
    while (read_file(folder_.file(name + "/metrics.jsonl")).empty()) {
      std::this_thread::sleep_for(kPoll);
    }
  }
  void expect_resumable(const std::string& name, const std::string& kind = "") const {
    Arguments words = {"train", "--resume", folder_.file(name), "--minutes", "0.0001"};
    if (!kind.empty()) {
      words.insert(words.begin() + 1, kind);
    }
    const Outcome outcome = run_ebt(words);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  }
  // A run of 12 steps that nothing disturbed.
  std::string undisturbed() const {
    EXPECT_EQ(run_ebt(training("undisturbed")).exit_code, 0);
    return folder_.file("undisturbed");
  }

  TemporaryFolder folder_;
  std::string text_ = folder_.write("text.txt", real_text());
};

const Arguments kEndless = {"--steps", "1000000"};

TEST_F(RunEnding, IsSavedAtEverySignalThatAsksForIt) {
  const std::vector<std::pair<int, std::string>> signals = {
      {SIGINT, "SIGINT"}, {SIGTERM, "SIGTERM"}, {SIGHUP, "SIGHUP"}, {SIGUSR1, "SIGUSR1"}};
  for (const auto& [signal, name] : signals) {
    Program program(training(name, kEndless));
    wait_for_steps(name);
    program.send(signal);
    const Outcome outcome = program.wait();
    EXPECT_EQ(outcome.exit_code, 0) << name << outcome.err;
    EXPECT_NE(outcome.err.find("stopped by " + name +
                               ", and saved; go on with: ebt train --resume " + folder_.file(name)),
              std::string::npos)
        << outcome.err;
    EXPECT_EQ(run_ebt_json({"inspect", "--model", folder_.file(name)})["step"],
              metrics_without_clock(folder_.file(name)).back()["step"]);
    expect_resumable(name);
  }
}

TEST_F(RunEnding, IsSavedOnImagesToo) {
  for (const std::string kind : {"image", "dit"}) {
    Program program(tiny_image_training(folder_.file(kind), kEndless, kind));
    wait_for_steps(kind);
    program.send(SIGHUP);
    const Outcome outcome = program.wait();
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_NE(outcome.err.find("stopped by SIGHUP, and saved"), std::string::npos) << outcome.err;
    expect_resumable(kind, kind);
  }
}

TEST_F(RunEnding, DoesNotHearAHangupThatIsIgnored) {
  Limits nohup;
  nohup.ignores_hangup = true;
  Program program(training("run", kEndless), nohup);
  wait_for_steps("run");
  program.send(SIGHUP);
  const size_t before = read_file(folder_.file("run/metrics.jsonl")).size();
  while (read_file(folder_.file("run/metrics.jsonl")).size() == before) {
    std::this_thread::sleep_for(kPoll);
  }
  program.send(SIGTERM);
  const Outcome outcome = program.wait();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("stopped by SIGTERM"), std::string::npos) << outcome.err;
}

// Terminals and job schedulers send their signals twice.
TEST_F(RunEnding, TakesSignalsInARowForOne) {
  Program program(training("run", kEndless));
  wait_for_steps("run");
  program.send(SIGTERM);
  program.send(SIGHUP);
  program.send(SIGTERM);
  const Outcome outcome = program.wait();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err << outcome.signal;
  expect_resumable("run");
}

// A step of some minutes.
TEST_F(RunEnding, ShowsHowFarALongStepIsAndGivesItUp) {
  Program program(training("run", {"--context", "8192", "--width", "64", "--batch", "4",
                                   "--micro-batch", "1", "--steps", "7", "--validation", "0.5"}));
  while (program.err_so_far().find("step 1/7: ") == std::string::npos) {
    std::this_thread::sleep_for(kPoll);
  }
  program.send(SIGTERM);
  const Outcome outcome = program.wait();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.err.find(" % of it, "), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.out.find("stopped after step 0 of 7"), std::string::npos) << outcome.out;
  EXPECT_EQ(read_file(folder_.file("run/metrics.jsonl")), "");
}

TEST_F(RunEnding, OutlivesAStandardErrorThatCannotBeWritten) {
  const std::string undisturbed = this->undisturbed();
  Limits full;
  full.err = "/dev/full";
  EXPECT_EQ(run_ebt(training("full"), full).exit_code, 0);
  expect_same_run(undisturbed, folder_.file("full"));
}

TEST_F(RunEnding, KeepsTheModelWhenItsResultCannotBePrinted) {
  const std::string undisturbed = this->undisturbed();
  Limits full;
  full.out = "/dev/full";
  const Outcome outcome = run_ebt(training("full"), full);
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("cannot write to the standard output"), std::string::npos)
      << outcome.err;
  expect_same_run(undisturbed, folder_.file("full"));
}

// Files that it opens do not take the places of streams that are closed.
TEST_F(RunEnding, WritesIntoItsFilesOnlyWhatBelongsThere) {
  const std::string undisturbed = this->undisturbed();
  Limits closed;
  closed.closed_streams = true;
  EXPECT_EQ(run_ebt(training("closed"), closed).exit_code, 1) << "nobody hears the result";
  expect_same_run(undisturbed, folder_.file("closed"));
}

// A pipe by name, opened for reading.
class Pipe {
 public:
  explicit Pipe(const TemporaryFolder& folder) : path_(folder.file("pipe")) {
    mkfifo(path_.c_str(), 0600);
    reader_ = open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() { close_reader(); }
  const std::string& path() const { return path_; }
  void close_reader() {
    if (reader_ >= 0) {
      close(std::exchange(reader_, -1));
    }
  }
  // So that not one byte more fits in.
  void fill() const {
    const int writer = open(path_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    const std::string bytes(1024, '.');
    while (write(writer, bytes.data(), bytes.size()) > 0) {
    }
    close(writer);
  }

 private:
  std::string path_;
  int reader_ = -1;
};

TEST_F(RunEnding, OutlivesWhoReadsItsProgress) {
  const Arguments steps = {"--steps", "500", "--checkpoint-every", "1000"};
  ASSERT_EQ(run_ebt(training("undisturbed", steps)).exit_code, 0);
  Pipe pipe(folder_);
  Limits piped;
  piped.err = pipe.path();
  Program program(training("run", steps), piped);
  wait_for_steps("run");
  pipe.close_reader();
  const Outcome outcome = program.wait();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.signal;
  expect_same_run(folder_.file("undisturbed"), folder_.file("run"));
}

TEST_F(RunEnding, DoesNotWaitForWhoReadsItsProgress) {
  const std::string undisturbed = this->undisturbed();
  Pipe pipe(folder_);
  pipe.fill();
  Limits piped;
  piped.err = pipe.path();
  EXPECT_EQ(run_ebt(training("run"), piped).exit_code, 0);
  expect_same_run(undisturbed, folder_.file("run"));
}

TEST_F(RunEnding, IsSavedWhenItsTerminalCloses) {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(terminal, 0);
  ASSERT_EQ(grantpt(terminal), 0);
  ASSERT_EQ(unlockpt(terminal), 0);
  Limits in_terminal;
  in_terminal.out = in_terminal.err = ptsname(terminal);
  in_terminal.own_session = true;
  Program program(training("run", kEndless), in_terminal);
  wait_for_steps("run");
  close(terminal);
  const Outcome outcome = program.wait();
  EXPECT_EQ(outcome.signal, 0);
  EXPECT_GT(run_ebt_json({"inspect", "--model", folder_.file("run")})["step"], 0);
  expect_resumable("run");
}

// As `ebt train | tee log` and Ctrl-C, which ends both.
TEST_F(RunEnding, IsSavedWhenTheSignalEndsItsReaderToo) {
  Pipe pipe(folder_);
  Limits piped;
  piped.err = piped.out = pipe.path();
  Program program(training("run", kEndless), piped);
  wait_for_steps("run");
  pipe.close_reader();
  program.send(SIGINT);
  const Outcome outcome = program.wait();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.signal;
  expect_resumable("run");
}

}  // namespace
}  // namespace ebt::testing
