// A run folder has one owner, and is no part of what the run reads.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "ebt/io/folder_owner.h"
#include "tests/end_to_end/program.h"

namespace ebt::testing {
namespace {

namespace fs = std::filesystem;

class RunOwner : public ::testing::Test {
 protected:
  Arguments training(const std::string& out, const Arguments& more = {}) const {
    return tiny_training(text_, out, more);
  }
  // Expects one sentence with `part`.
  static void expect_refused(const Arguments& arguments, const std::string& part) {
    const Outcome outcome = run_ebt(arguments);
    EXPECT_EQ(outcome.exit_code, 1) << ::testing::PrintToString(arguments);
    EXPECT_NE(outcome.err.find(part), std::string::npos) << outcome.err;
    EXPECT_EQ(outcome.out, "");
  }
  void wait_for_steps() const {
    while (read_file(run_ + "/metrics.jsonl").empty()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  TemporaryFolder folder_;
  std::string text_ = folder_.write("text.txt", real_text());
  std::string run_ = folder_.file("run");
  const Arguments kEndless = {"--steps", "1000000"};
};

TEST_F(RunOwner, IsTheOnlyOneByWhateverNameAnotherComes) {
  Program owner(training(run_, kEndless));
  wait_for_steps();
  fs::create_directory_symlink(run_, folder_.file("link"));
  const std::string in_use = "is in use by process " + std::to_string(owner.id());
  for (const std::string& name :
       {run_, folder_.file("link"), folder_.file("link/../run"), run_ + "/"}) {
    expect_refused({"train", "--resume", name}, in_use);
    expect_refused(training(name), in_use);
    expect_refused(training(name, {"--overwrite"}), in_use);
  }
  expect_refused(tiny_image_training(run_, {"--overwrite"}), in_use);
  // Readers are welcome.
  EXPECT_EQ(run_ebt({"inspect", "--model", run_}).exit_code, 0);
  EXPECT_EQ(run_ebt({"eval", "--model", run_, "--examples", "1"}).exit_code, 0);
  EXPECT_EQ(run_ebt({"generate", "--model", run_, "--prompt", "a", "--tokens", "1"}).exit_code, 0);
  owner.send(SIGTERM);
  EXPECT_EQ(owner.wait().exit_code, 0);
  EXPECT_FALSE(fs::exists(run_ + "/.lock"));
  EXPECT_EQ(run_ebt({"train", "--resume", run_, "--minutes", "0.0001"}).exit_code, 0);
}

TEST_F(RunOwner, OwnsPreparedDataToo) {
  const std::string shards = folder_.file("shards");
  const Arguments prepare = {"data", "prepare", "--data", text_, "--out", shards};
  {
    const FolderOwner owner = FolderOwner::take(shards);
    expect_refused(prepare, "'" + shards + "' is in use by process " + std::to_string(getpid()));
  }
  EXPECT_EQ(run_ebt(prepare).exit_code, 0);
}

TEST_F(RunOwner, IsForgottenOnceItIsDead) {
  {
    Program owner(training(run_, kEndless));
    wait_for_steps();
    owner.send(SIGKILL);
    owner.wait();
  }
  EXPECT_TRUE(fs::exists(run_ + "/.lock"));
  EXPECT_EQ(run_ebt({"train", "--resume", run_, "--minutes", "0.0001"}).exit_code, 0);
  EXPECT_FALSE(fs::exists(run_ + "/.lock"));
}

TEST_F(RunOwner, IsOneOfThoseThatStartTogether) {
  for (const char* more : {"--no-overwrite", "--overwrite"}) {
    std::vector<std::unique_ptr<Program>> programs;
    for (int i = 0; i < 4; ++i) {
      programs.push_back(std::make_unique<Program>(
          training(run_, {"--steps", "200", more, "--seed", std::to_string(i)})));
    }
    int refused = 0;
    for (const auto& program : programs) {
      const Outcome outcome = program->wait();
      if (outcome.exit_code != 0) {
        ++refused;
        EXPECT_TRUE(outcome.err.find("is in use by") != std::string::npos ||
                    outcome.err.find("holds a run already") != std::string::npos)
            << outcome.err;
      }
    }
    EXPECT_GE(refused, more == std::string("--overwrite") ? 0 : 3);
    EXPECT_LE(refused, 3);
    const auto metrics = metrics_without_clock(run_);
    int64_t step = 0;
    for (const auto& line : metrics) {
      if (line.contains("loss")) {
        EXPECT_EQ(line["step"], ++step);
      }
    }
    EXPECT_EQ(step, 200);
  }
}

TEST_F(RunOwner, LeavesNoFolderBehindWhenItIsRefused) {
  expect_refused(training(folder_.file("a/b/run"), {"--data", folder_.file("none")}), "none");
  EXPECT_FALSE(fs::exists(folder_.file("a")));
  fs::create_directory(folder_.file("mine"));
  expect_refused(training(folder_.file("mine"), {"--data", folder_.file("none")}), "none");
  EXPECT_TRUE(fs::is_empty(folder_.file("mine")));
}

TEST_F(RunOwner, WritesOutsideOfWhatItReads) {
  const std::string texts = folder_.file("texts");
  folder_.write("texts/a.txt", real_text());
  fs::create_directory_symlink(texts, folder_.file("link"));
  const std::string lies = "lies within the text '" + texts + "', and would become part of it";
  for (const std::string& out :
       {texts, texts + "/run", texts + "/../texts/deep/run", folder_.file("link/run")}) {
    expect_refused(tiny_training(texts, out), lies);
    expect_refused({"data", "prepare", "--data", texts, "--out", out}, lies);
  }
  expect_refused({"tokenizer", "train", "--data", texts, "--out", texts + "/a.model"}, lies);
  expect_refused(tiny_training(texts, folder_.path()), "which is to be written");
  expect_refused(tiny_image_training(texts + "/run", {"--data", texts}),
                 "lies within the images '" + texts + "'");
  expect_refused(tiny_image_training(texts + "/run", {"--data", texts}, "dit"),
                 "lies within the images '" + texts + "'");
  ASSERT_EQ(run_ebt(tiny_training(texts, run_)).exit_code, 0);
  expect_refused({"eval", "--model", run_, "--data", texts, "--out", texts + "/eval"}, lies);
  EXPECT_EQ(std::distance(fs::directory_iterator(texts), fs::directory_iterator()), 1);
}

}  // namespace
}  // namespace ebt::testing
