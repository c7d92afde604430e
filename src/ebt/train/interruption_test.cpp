// Runs that are ended within a step or a validation, at every place where they ask for it.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "ebt/train/image_task.h"
#include "ebt/train/metrics_log.h"
#include "ebt/train/recipes.h"
#include "ebt/train/text_task.h"
#include "tests/support/image_run.h"
#include "tests/support/training_run.h"

namespace ebt {
namespace {

using testing::metrics_without_clock;
using testing::small_image_run;
using testing::small_run;
using testing::TemporaryFolder;
namespace fs = std::filesystem;

// The files of a run that must be the same in every run of its config.
std::map<std::string, std::string> files_of(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".safetensors") {
      std::ifstream file(entry.path(), std::ios::binary);
      files[entry.path().filename()] = {std::istreambuf_iterator<char>(file), {}};
    }
  }
  return files;
}

// Four steps of two micro-batches, a validation of several batches after every other.
template <class Config>
Config short_run(Config config) {
  config.run.steps = 4;
  config.run.batch = 4;
  config.run.micro_batch = 2;
  config.run.validate_every = 2;
  config.run.checkpoint_every = 3;
  config.run.precision = "fp32";
  return config;
}

TextTrainConfig text_run(const TemporaryFolder& folder, const std::string& name,
                         const std::string& learner) {
  TextTrainConfig config = short_run(small_run(folder, name));
  if (learner == "transformer_pp") {
    config.model.arch = Architecture::kTransformerPp;
  } else {
    apply_recipe(learner, config);
    config.thinking.replay_rows = learner == "s2" ? 8 : 0;
  }
  config.model.layers = 2;
  config.model.width = 16;
  config.model.context = 24;
  config.run.validation_windows = 5;
  return config;
}

ImageTrainConfig image_run(const TemporaryFolder& folder, const std::string& name,
                           ImageArchitecture arch) {
  ImageTrainConfig config = short_run(small_image_run(folder, name));
  config.model.arch = arch;
  config.run.validation_images = 5;
  return config;
}

// Ends the run at the `place`-th question whether to, and goes on with it. Returns whether there
// were so many.
template <class AnyTrainer, class Config, class Observer>
bool runs_with_an_interruption(const Config& config, int64_t place) {
  std::atomic<int64_t> asked{0};
  Observer observer;
  observer.interrupted = [&] { return ++asked >= place; };
  const bool finished = AnyTrainer::start(config).run(observer);
  EXPECT_NE(finished, asked >= place);
  EXPECT_TRUE(AnyTrainer::resume(config.run.out).run());
  return !finished;
}

// `config_of` makes the config of a run in a folder of a name.
template <class AnyTrainer, class Observer, class ConfigOf>
void expect_same_run_whenever_interrupted(const ConfigOf& config_of) {
  const auto whole = config_of("whole");
  EXPECT_TRUE(AnyTrainer::start(whole).run());
  int64_t interruptions = 0;
  // Primes and their like: places of every kind, not too many of them.
  for (int64_t place = 1;; place = place + 1 + place / 3) {
    const auto parts = config_of("parts" + std::to_string(place));
    const bool interrupted =
        runs_with_an_interruption<AnyTrainer, decltype(parts), Observer>(parts, place);
    EXPECT_EQ(files_of(whole.run.out), files_of(parts.run.out)) << "at place " << place;
    EXPECT_EQ(metrics_without_clock(whole.run.out), metrics_without_clock(parts.run.out))
        << "at place " << place;
    fs::remove_all(parts.run.out);
    if (!interrupted) {
      break;
    }
    ++interruptions;
  }
  EXPECT_GT(interruptions, 8);
}

TEST(Interruption, LeavesNoTraceInARunOnText) {
  for (const char* learner : {"s1", "s2", "transformer_pp"}) {
    SCOPED_TRACE(learner);
    const TemporaryFolder folder;
    expect_same_run_whenever_interrupted<TextTrainer<float>, TextObserver>(
        [&](const std::string& name) { return text_run(folder, name, learner); });
  }
}

TEST(Interruption, LeavesNoTraceInARunOnImages) {
  for (const ImageArchitecture arch : {ImageArchitecture::kEbt, ImageArchitecture::kDit}) {
    SCOPED_TRACE(enum_name(arch));
    const TemporaryFolder folder;
    expect_same_run_whenever_interrupted<ImageTrainer<float>, ImageObserver>(
        [&](const std::string& name) { return image_run(folder, name, arch); });
  }
}

// Of each step and validation: what was told of it.
template <class AnyTrainer, class Observer, class Config>
std::map<std::string, std::vector<double>> shares_of(const Config& config) {
  std::map<std::string, std::vector<double>> shares;
  Observer observer;
  observer.on_part = [&](const PartOfRun& part) {
    EXPECT_EQ(part.steps, 4);
    shares[part.what + std::to_string(part.step)].push_back(part.share);
  };
  AnyTrainer::start(config).run(observer);
  return shares;
}

void expect_whole(const std::map<std::string, std::vector<double>>& shares) {
  EXPECT_EQ(shares.size(), 6U);
  for (const auto& [what, told] : shares) {
    EXPECT_GE(told.size(), 2U) << what;
    EXPECT_TRUE(std::is_sorted(told.begin(), told.end())) << what;
    EXPECT_GE(told.front(), 0.0) << what;
    EXPECT_NEAR(told.back(), 1.0, 1e-9) << what;
  }
}

TEST(Interruption, KnowsHowFarEveryStepAndValidationIs) {
  const TemporaryFolder folder;
  for (const char* learner : {"s1", "transformer_pp"}) {
    SCOPED_TRACE(learner);
    expect_whole(shares_of<TextTrainer<float>, TextObserver>(text_run(folder, learner, learner)));
  }
  for (const ImageArchitecture arch : {ImageArchitecture::kEbt, ImageArchitecture::kDit}) {
    SCOPED_TRACE(enum_name(arch));
    expect_whole(
        shares_of<ImageTrainer<float>, ImageObserver>(image_run(folder, enum_name(arch), arch)));
  }
}

}  // namespace
}  // namespace ebt
