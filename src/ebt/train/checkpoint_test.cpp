#include "ebt/train/checkpoint.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "ebt/core/threads.h"
#include "ebt/dist/thread_group.h"
#include "ebt/io/safetensors.h"
#include "ebt/model/model_folder.h"
#include "tests/support/error_text.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/training_run.h"

namespace ebt {
namespace {

using testing::bigram_factory;
using testing::error_text;
using testing::FileSizeLimit;
using testing::metrics_without_clock;
using testing::small_run;
using testing::TemporaryFolder;
namespace fs = std::filesystem;

struct Interrupted : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// An observer that ends the run after a step, before its checkpoint.
TextObserver stop_at(int64_t step) {
  return {.on_step = [step](const TextStepReport& report) {
    if (report.step == step) {
      throw Interrupted("the run was interrupted");
    }
  }};
}

void run_until(const TextTrainConfig& config, int64_t step) {
  TextTrainer<float> trainer = TextTrainer<float>::start(config, bigram_factory());
  EXPECT_THROW(trainer.run(stop_at(step)), Interrupted);
}

TextTrainer<float> resumed(const fs::path& folder) {
  return TextTrainer<float>::resume(folder, {}, bigram_factory());
}

TextTrainer<float> started_or_resumed(const TextTrainConfig& config) {
  const fs::path folder = config.run.out;
  return fs::exists(folder / kConfigFile) ? resumed(folder)
                                          : TextTrainer<float>::start(config, bigram_factory());
}

std::string bytes_of(const fs::path& path) { return read_text_file(path, 100'000'000); }

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.insert(entry.path().filename().string());
  }
  return names;
}

// A run with a replay buffer that was never interrupted, and others to be compared with it.
class CheckpointTest : public ::testing::Test {
 protected:
  CheckpointTest() {
    config_ = small_run(folder_, "whole");
    config_.thinking.replay_rows = 16;
    TextTrainer<float> whole = TextTrainer<float>::start(config_, bigram_factory());
    whole.run();
    whole_ = config_.run.out;
    config_.run.out = folder_.file("run");
    run_ = config_.run.out;
  }

  // Finishes the run and compares every byte that it leaves with the run that was not interrupted.
  void expect_resumes_to_the_same_end() {
    TextTrainer<float> trainer = resumed(run_);
    trainer.run();
    EXPECT_EQ(names_in(run_), names_in(whole_));
    EXPECT_EQ(bytes_of(run_ / kModelFile), bytes_of(whole_ / kModelFile));
    EXPECT_EQ(bytes_of(run_ / "training-state-20.safetensors"),
              bytes_of(whole_ / "training-state-20.safetensors"));
    EXPECT_EQ(metrics_without_clock(run_), metrics_without_clock(whole_));
  }

  TemporaryFolder folder_;
  TextTrainConfig config_;
  fs::path whole_;
  fs::path run_;
};

TEST_F(CheckpointTest, LeavesAModelAndOneTrainingState) {
  EXPECT_EQ(names_in(whole_),
            (std::set<std::string>{"config.json", "metrics.jsonl", "model.safetensors",
                                   "training-state-20.safetensors"}));
  EXPECT_EQ(SafetensorsFile(whole_ / kModelFile).metadata("step"), "20");
}

TEST_F(CheckpointTest, ResumesToTheBitFromTheLastCheckpoint) {
  run_until(config_, 17);
  EXPECT_EQ(resumed(run_).progress().step, 10);
  expect_resumes_to_the_same_end();
}

TEST_F(CheckpointTest, ResumesFromTheBeginningBeforeTheFirstCheckpoint) {
  run_until(config_, 3);
  expect_resumes_to_the_same_end();
}

TEST_F(CheckpointTest, StartsWhereARunWasInterruptedBeforeItHadAModel) {
  fs::create_directories(run_);
  fs::copy(whole_ / kConfigFile, run_ / kConfigFile);
  expect_resumes_to_the_same_end();
}

TEST_F(CheckpointTest, HasNothingLeftToDoAfterTheLastStep) {
  fs::copy(whole_, run_);
  expect_resumes_to_the_same_end();
}

// What a killed process leaves at each moment of a save: step 20 arrives beside step 10.
TEST_F(CheckpointTest, SurvivesAKillAtEveryMomentOfASave) {
  const TemporaryFolder interrupted;
  run_until(config_, 15);
  const fs::path at_10 = interrupted.path() / "at_10";
  fs::copy(run_, at_10);
  const std::string state = "training-state-20.safetensors";
  const std::vector<std::function<void()>> moments = {
      [&] {
        interrupted.write("at_10/" + state + ".tmp", bytes_of(whole_ / state).substr(0, 9999));
      },
      [&] { fs::copy(whole_ / state, at_10 / state); },
      [&] { interrupted.write("at_10/model.safetensors.tmp", "cut off"); },
      [&] {
        fs::copy(whole_ / kModelFile, at_10 / kModelFile, fs::copy_options::overwrite_existing);
        fs::remove(at_10 / "model.safetensors.tmp");
      },
  };
  for (size_t moment = 0; moment < moments.size(); ++moment) {
    moments[moment]();
    fs::remove_all(run_);
    fs::copy(at_10, run_);
    TextTrainer<float> trainer = resumed(run_);
    EXPECT_EQ(trainer.progress().step, moment < 3 ? 10 : 20) << "moment " << moment;
    trainer.run();
    EXPECT_EQ(bytes_of(run_ / kModelFile), bytes_of(whole_ / kModelFile)) << "moment " << moment;
  }
}

TEST_F(CheckpointTest, SurvivesTwentyKillsAtRandomMoments) {
  config_.run.checkpoint_every = 1;
  const RandomStream random{.seed = 20, .purpose = RandomPurpose::kSampling};
  for (uint64_t attempt = 0, kills = 0; kills < 20; ++attempt) {
    ASSERT_LT(attempt, 1000U);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      try {
        started_or_resumed(config_).run();
      } catch (const std::exception&) {
        _exit(1);
      }
      _exit(0);
    }
    usleep(static_cast<useconds_t>(1000 + random.below(30000, attempt)));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << "the run could not resume";
    if (WIFSIGNALED(status)) {
      ++kills;
    } else {
      fs::remove_all(run_);
    }
  }
  started_or_resumed(config_).run();
  EXPECT_EQ(bytes_of(run_ / kModelFile), bytes_of(whole_ / kModelFile));
  EXPECT_EQ(metrics_without_clock(run_), metrics_without_clock(whole_));
}

TEST_F(CheckpointTest, KeepsTheOldCheckpointWhenTheDiskIsFull) {
  TextTrainer<float> trainer = TextTrainer<float>::start(config_, bigram_factory());
  EXPECT_THROW(trainer.run(stop_at(12)), Interrupted);
  {
    const FileSizeLimit limit(100'000);
    TextTrainer<float> again = resumed(run_);
    EXPECT_EQ(
        error_text([&] { again.run(); }),
        "cannot write '" + (run_ / "training-state-20.safetensors").string() + "': File too large");
  }
  EXPECT_EQ(names_in(run_),
            (std::set<std::string>{"config.json", "metrics.jsonl", "model.safetensors",
                                   "training-state-10.safetensors"}));
  expect_resumes_to_the_same_end();
}

TEST_F(CheckpointTest, RefusesToResumeAModelWithoutTrainingState) {
  fs::create_directories(run_);
  fs::copy(whole_ / kConfigFile, run_ / kConfigFile);
  fs::copy(whole_ / kModelFile, run_ / kModelFile);
  EXPECT_EQ(error_text([&] { resumed(run_); }),
            "cannot read '" + (run_ / "training-state-20.safetensors").string() +
                "': No such file or directory");

  const SafetensorsFile model(whole_ / kModelFile);
  SafetensorsWriter from_elsewhere;
  const std::vector<float> alpha = model.read<float>("alpha");
  const std::vector<float> table = model.read<float>("table");
  from_elsewhere.add("alpha", Tensor<const float>{alpha.data(), {}});
  from_elsewhere.add("table", Tensor<const float>{table.data(), model.tensor("table").shape});
  from_elsewhere.write(run_ / kModelFile);
  EXPECT_EQ(error_text([&] { resumed(run_); }),
            "'" + run_.string() +
                "' is a model without training state: it can be used, but its "
                "training cannot resume");
}

TEST_F(CheckpointTest, RefusesATextThatHasChanged) {
  run_until(config_, 15);
  folder_.write("text.txt", bytes_of(folder_.path() / "text.txt") + "one more line\n");
  const std::string text = error_text([&] { resumed(run_); });
  EXPECT_NE(text.find("it is no longer the same text"), std::string::npos) << text;
}

TEST_F(CheckpointTest, RefusesTheStateOfAnotherStep) {
  run_until(config_, 15);
  fs::copy(whole_ / "training-state-20.safetensors", run_ / "training-state-10.safetensors",
           fs::copy_options::overwrite_existing);
  EXPECT_EQ(
      error_text([&] { resumed(run_); }),
      "'" + (run_ / "training-state-10.safetensors").string() + "' does not belong to step 10");
}

TEST(TrainingProgress, IsStoredAsOlderProgramsStoredIt) {
  TrainingProgress progress{3, 2, 1, 1, {{"training_tokens", 108}, {"text_fingerprint", 7}}};
  EXPECT_EQ(fields_to_json(progress).dump(),
            R"({"step":3,"update_count":2,"bad_steps":1,"skipped_steps":1,)"
            R"("training_tokens":108,"text_fingerprint":7})");
  // The oldest knew the size of a text alone.
  const auto stored = nlohmann::json::parse(R"({"step":9,"training_tokens":109})");
  fields_from_json(stored, "state", progress);
  EXPECT_EQ(progress.step, 9);
  EXPECT_EQ(progress.data, (DataIdentity{{"training_tokens", 109}, {"text_fingerprint", 7}}));
}

// A run of nothing but the optimizer, whose gradients are the weights: it takes `steps` from the
// checkpoint of a folder, or from the beginning, and saves.
void run_on_ranks(int size, const fs::path& folder, int64_t steps) {
  ParameterLayout layout;
  layout.add("embedding", {301, 127});
  layout.add("norm", {127}, false);
  layout.add(kStepSizeName, {1});
  run_thread_ranks(size, [&](Group& ranks) {
    const OneThread one;
    ParameterBlock<float> weights(layout);
    std::iota(weights.all().begin(), weights.all().end(), -100.0F);
    AdamW<float> optimizer(layout, {}, {{kStepSizeName, 0.0}}, ranks);
    TrainingProgress progress;
    progress.data = {{"size", 7}};
    Checkpoint<float> checkpoint{weights, optimizer, nullptr, progress};
    if (has_model(folder)) {
      checkpoint.load(folder);
    }
    ranks.barrier();  // or rank 0 would replace what others still read
    for (int64_t step = 0; step < steps; ++step) {
      optimizer.update(weights, weights, 0.1);
      ++progress.step;
    }
    checkpoint.save(folder);
  });
}

TEST(CheckpointOfRanks, HoldsTheSameBytesHoweverManyTheyWere) {
  const TemporaryFolder folder;
  for (const char* name : {"alone", "many"}) {
    fs::create_directory(folder.path() / name);
  }
  const fs::path alone = folder.path() / "alone";
  const fs::path many = folder.path() / "many";
  int64_t step = 0;
  for (const int ranks : {4, 2, 8, 1, 16}) {
    run_on_ranks(1, alone, 2);
    run_on_ranks(ranks, many, 2);
    step += 2;
    for (const std::string& name :
         {std::string(kModelFile), "training-state-" + std::to_string(step) + ".safetensors"}) {
      EXPECT_TRUE(bytes_of(alone / name) == bytes_of(many / name)) << name << ", " << ranks;
    }
  }
}

}  // namespace
}  // namespace ebt
