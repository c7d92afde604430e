#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "ebt/model/model_folder.h"
#include "ebt/train/image_task.h"
#include "ebt/train/run_config.h"
#include "tests/support/error_text.h"
#include "tests/support/image_run.h"
#include "tests/support/training_run.h"

namespace ebt {
namespace {

using testing::error_text;
using testing::gain_factory;
using testing::GainImageModel;
using testing::metrics_without_clock;
using testing::small_image_run;
using testing::TemporaryFolder;
using testing::weights_of;
using testing::write_plain_image;
namespace fs = std::filesystem;

struct Interrupted : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Ends a run of the factory's model after a step, before its checkpoint.
void run_until(const ImageTrainConfig& config, int64_t step,
               const ImageTrainer<float>::ModelFactory& factory) {
  ImageTrainer<float> trainer = ImageTrainer<float>::start(config, factory);
  EXPECT_THROW(trainer.run({.on_step =
                                [step](const ImageStepReport& report) {
                                  if (report.step == step) {
                                    throw Interrupted("the run was interrupted");
                                  }
                                }}),
               Interrupted);
}

std::string bytes_of(const fs::path& path) { return read_text_file(path, 100'000'000); }

void expect_same_folder(const fs::path& a, const fs::path& b) {
  const std::string state = "training-state-20.safetensors";
  EXPECT_EQ(bytes_of(a / kModelFile), bytes_of(b / kModelFile));
  EXPECT_EQ(bytes_of(a / state), bytes_of(b / state));
  EXPECT_EQ(metrics_without_clock(a), metrics_without_clock(b));
}

TEST(ImageTrainer, LearnsToUndoNoise) {
  const TemporaryFolder folder;
  ImageTrainConfig config = small_image_run(folder, "run");
  config.run.steps = 60;
  ImageTrainer<float> trainer = ImageTrainer<float>::start(config, gain_factory());
  std::vector<ImageStepReport> steps;
  std::vector<ImageValidationReport> validations;
  trainer.run({[&](const ImageStepReport& report) { steps.push_back(report); },
               [&](const ImageValidationReport& report) { validations.push_back(report); }});
  ASSERT_EQ(steps.size(), 60U);
  EXPECT_EQ(steps.back().seconds_left, 0.0);
  EXPECT_EQ(steps.back().measured.count, 6);
  EXPECT_DOUBLE_EQ(steps.back().loss, steps.back().measured.mean_losses()[1]);
  ASSERT_EQ(validations.size(), 6U);
  EXPECT_EQ(validations.back().step, 60);
  EXPECT_EQ(validations.back().measured.count, 9);
  // The model starts at black images, which are far from all.
  const double first = validations.front().measured.psnr()[1];
  const double last = validations.back().measured.psnr()[1];
  EXPECT_GT(last, first + 3);
  EXPECT_NEAR(last, 10 * std::log10(4 / validations.back().measured.mean_losses()[1]), 1e-12);
  EXPECT_NEAR(validations.back().measured.psnr()[0], 10 * std::log10(4 / 0.01), 0.5)
      << "of the noise itself";
}

TEST(ImageTrainer, WritesOutWhatItResolved) {
  const TemporaryFolder folder;
  ImageTrainConfig config = small_image_run(folder, "run");
  config.optimizer.learning_rate = 0;
  const ImageTrainer<float> trainer = ImageTrainer<float>::start(config, gain_factory());
  const ImageTrainConfig stored = load_config<ImageTrainConfig>(folder.path() / "run");
  EXPECT_EQ(stored.optimizer.learning_rate, 2.4e-3);
  EXPECT_EQ(stored.optimizer.warmup_steps, 2);
  EXPECT_EQ(stored.run.micro_batch, 6);
  EXPECT_EQ(stored.thinking.step_size, 0.5) << "the model's own";
  EXPECT_EQ(stored.thinking.step_size_lr, 1.5);
}

TEST(ImageTrainer, AccumulatesMicroBatchesToTheWholeBatch) {
  const TemporaryFolder folder;
  ImageTrainConfig config = small_image_run(folder, "whole");
  ImageTrainer<double> whole = ImageTrainer<double>::start(config, gain_factory<double>());
  whole.run();
  config.run.out = folder.file("parts");
  config.run.micro_batch = 4;  // leaves a last part of 2
  ImageTrainer<double> parts = ImageTrainer<double>::start(config, gain_factory<double>());
  parts.run();
  EXPECT_EQ(dynamic_cast<GainImageModel<double>&>(whole.model()).most_rows, 6);
  EXPECT_EQ(dynamic_cast<GainImageModel<double>&>(parts.model()).most_rows, 4);
  const std::vector<double> of_whole = weights_of(whole);
  const std::vector<double> of_parts = weights_of(parts);
  for (size_t i = 0; i < of_whole.size(); ++i) {
    ASSERT_NE(of_whole[i], 0);
    ASSERT_NEAR(of_whole[i], of_parts[i], 1e-12);
  }
}

TEST(ImageTrainer, GivesTheSameForAnyNumberOfThreadsAndLoaders) {
  const TemporaryFolder folder;
  ImageTrainConfig config = small_image_run(folder, "one");
  ImageTrainer<float>::start(config, gain_factory()).run();
  config.run.out = folder.file("two");
  config.run.threads = 2;
  config.data.loaders = 3;
  ImageTrainer<float>::start(config, gain_factory()).run();
  expect_same_folder(folder.path() / "one", folder.path() / "two");
}

TEST(ImageTrainer, ResumesToTheBitFromTheLastCheckpointOrTheBeginning) {
  const TemporaryFolder folder;
  const ImageTrainConfig whole = small_image_run(folder, "whole");
  ImageTrainer<float>::start(whole, gain_factory()).run();
  for (const int64_t step : {3, 17}) {
    const std::string name = "stopped at " + std::to_string(step);
    run_until(small_image_run(folder, name), step, gain_factory());
    ImageTrainer<float> trainer =
        ImageTrainer<float>::resume(folder.file(name), {}, gain_factory());
    EXPECT_EQ(trainer.progress().step, step - step % 10);
    trainer.run();
    expect_same_folder(whole.run.out, folder.file(name));
  }
  // Killed between its config and its first checkpoint.
  fs::create_directories(folder.file("early"));
  fs::copy(fs::path(whole.run.out) / kConfigFile, folder.path() / "early" / kConfigFile);
  ImageTrainer<float>::resume(folder.file("early"), {}, gain_factory()).run();
  expect_same_folder(whole.run.out, folder.file("early"));
}

TEST(ImageTrainer, StopsWhereABaselineDivergesAndSaysWhy) {
  const TemporaryFolder folder;
  ImageTrainConfig config = small_image_run(folder, "run");
  config.model.arch = ImageArchitecture::kDit;
  config.run.max_bad_steps = 3;
  ImageTrainer<float> trainer = ImageTrainer<float>::start(config, gain_factory());
  dynamic_cast<GainImageModel<float>&>(trainer.model()).steps_of_bad_loss = {3, 12, 13, 14};
  EXPECT_EQ(error_text([&] { trainer.run(); }),
            "training stopped at step 15 because loss or gradient were not finite 3 steps in a "
            "row; probably the learning rate (0.02) is too high; '" +
                config.run.out + "' keeps the last good checkpoint");
  const auto resumed = ImageTrainer<float>::resume(config.run.out, {}, gain_factory());
  EXPECT_EQ(resumed.progress().step, 10);
  EXPECT_EQ(resumed.progress().skipped_steps, 1);
}

// Writes `count` plain images of shades that rise.
void write_shades(const TemporaryFolder& folder, int count) {
  fs::create_directories(folder.path() / "images");
  for (int i = 0; i < count; ++i) {
    const std::string name = "images/" + std::to_string(100 + i) + ".png";
    write_plain_image(folder.file(name), static_cast<uint8_t>(i * 255 / (count - 1)));
  }
}

TEST(ImageTrainer, ValidatesOnImagesSpreadOverAllThatAreKept) {
  const TemporaryFolder folder;
  write_shades(folder, 40);
  ImageTrainConfig config = small_image_run(folder, "run");
  config.data.data = folder.file("images");
  config.data.validation = 0.5;
  config.run.steps = 1;
  config.run.micro_batch = 4;
  config.run.validation_images = 5;
  const auto evaluated = [&](const char* name) {
    config.run.out = folder.file(name);
    ImageTrainer<float> trainer = ImageTrainer<float>::start(config, gain_factory());
    trainer.run();
    return dynamic_cast<GainImageModel<float>&>(trainer.model()).evaluated;
  };
  const std::vector<double> some = evaluated("some");
  config.run.validation_images = 0;
  const std::vector<double> all = evaluated("all");
  ASSERT_EQ(some.size(), 5U);
  ASSERT_EQ(all.size(), 20U);
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(some[i], all[i * 4]);
  }
}

TEST(ImageTrainer, CountsImagesThatCannotBeRead) {
  const TemporaryFolder folder;
  write_shades(folder, 8);
  const std::string broken = folder.write("images/103b.png", "no image");
  ImageTrainConfig config = small_image_run(folder, "run");
  config.data.data = folder.file("images");
  ImageTrainer<float> trainer = ImageTrainer<float>::start(config, gain_factory());
  EXPECT_EQ(trainer.task().data().training_files, 8) << "one of nine is kept for validation";
  trainer.run();
  const BadImages bad = trainer.task().bad_images();
  EXPECT_EQ(bad.count, 1);
  ASSERT_EQ(bad.sentences.size(), 1U);
  EXPECT_NE(bad.sentences[0].find(broken), std::string::npos) << bad.sentences[0];
}

TEST(ImageTrainer, NoticesThatTheFilesAreOthers) {
  const TemporaryFolder folder;
  write_shades(folder, 8);
  ImageTrainConfig config = small_image_run(folder, "run");
  config.data.data = folder.file("images");
  run_until(config, 12, gain_factory());
  EXPECT_EQ(ImageTrainer<float>::resume(config.run.out, {}, gain_factory()).progress().step, 10);
  write_plain_image(folder.file("images/new.png"), 7);
  EXPECT_EQ(error_text([&] { ImageTrainer<float>::resume(config.run.out, {}, gain_factory()); }),
            "the files of '" + config.data.data + "' are no longer those that '" + config.run.out +
                "' was trained on");
}

TEST(ImageTrainer, RefusesAnImpossibleConfigBeforeItWritesAnything) {
  const TemporaryFolder folder;
  ImageTrainConfig config = small_image_run(folder, "run");
  config.model.patch = 5;
  EXPECT_THROW(ImageTrainer<float>::start(config, gain_factory()), Error);
  config = small_image_run(folder, "run");
  config.data.data = folder.file("no such folder");
  EXPECT_THROW(ImageTrainer<float>::start(config, gain_factory()), Error);
  write_shades(folder, 3);
  folder.write("images/last.png", "no image");
  config.data.data = folder.file("images");
  const std::string text = error_text([&] { ImageTrainer<float>::start(config, gain_factory()); });
  EXPECT_EQ(text.find("none of the 1 images for validation can be read"), 0U) << text;
  EXPECT_FALSE(fs::exists(config.run.out));
}

TEST(ImageTrainer, RefusesToOverwriteAModel) {
  const TemporaryFolder folder;
  const ImageTrainConfig config = small_image_run(folder, "run");
  const auto first = ImageTrainer<float>::start(config, gain_factory());
  EXPECT_EQ(error_text([&] { ImageTrainer<float>::start(config, gain_factory()); }),
            "'" + config.run.out +
                "' holds a model already: resume it, or choose another folder with --out");
}

TEST(ImageTrainer, RefusesAModelThatCannotFitInMemory) {
  const TemporaryFolder folder;
  ImageTrainConfig config = small_image_run(folder, "run");
  config.model.layers = 1000;
  config.model.width = 1 << 16;
  const std::string text = error_text([&] { ImageTrainer<float>::start(config); });
  EXPECT_EQ(text.find("this run needs about "), 0U) << text;
  EXPECT_NE(text.find("are available: lower micro-batch (1), image-height (8), image-width (12)"),
            std::string::npos)
      << text;
  EXPECT_FALSE(fs::exists(config.run.out));
}

// ---- The engine's own models, in all that a run may ask of them.

class RealImageTraining : public ::testing::TestWithParam<ImageTrainConfig> {
 protected:
  ImageTrainConfig config(const std::string& name) const {
    ImageTrainConfig config = small_image_run(folder_, name);
    config.model.arch = GetParam().model.arch;
    config.thinking = GetParam().thinking;
    return config;
  }

  TemporaryFolder folder_;
};

TEST_P(RealImageTraining, LearnsAndIsTheSameOnTwoThreadsAndAfterAnInterruption) {
  const ImageTrainConfig whole = config("whole");
  ImageTrainer<float> trainer = ImageTrainer<float>::start(whole);
  std::vector<double> losses;
  trainer.run({.on_validation = [&](const ImageValidationReport& report) {
    losses.push_back(report.measured.loss());
  }});
  ASSERT_EQ(losses.size(), 2U);
  EXPECT_LT(losses[1], losses[0]);

  ImageTrainConfig two = config("two");
  two.run.threads = 2;
  run_until(two, 17, ImageTask<float>::make_model);
  ImageTrainer<float>::resume(two.run.out).run();
  expect_same_folder(whole.run.out, two.run.out);
}

TEST_P(RealImageTraining, AccumulatesMicroBatchesToTheWholeBatch) {
  ImageTrainConfig whole = config("whole");
  whole.run.steps = 3;
  ImageTrainer<double> at_once = ImageTrainer<double>::start(whole);
  at_once.run();
  ImageTrainConfig parts = config("parts");
  parts.run.steps = 3;
  parts.run.micro_batch = 4;
  ImageTrainer<double> by_parts = ImageTrainer<double>::start(parts);
  by_parts.run();
  const std::vector<double> a = weights_of(at_once);
  const std::vector<double> b = weights_of(by_parts);
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_NEAR(a[i], b[i], 1e-7 * (1 + std::abs(a[i]))) << "weight " << i;
  }
}

ImageTrainConfig of_kind(ImageArchitecture arch, bool thinks_longer) {
  ImageTrainConfig config;
  config.model.arch = arch;
  if (thinks_longer) {
    config.thinking.steps_min = 2;
    config.thinking.steps_max = 3;
    config.thinking.step_size_learnable = false;
    config.thinking.step_size_spread = 2.0;
    config.thinking.detach = false;
    config.thinking.truncate = true;
    config.thinking.langevin_noise = 0.01;
  }
  return config;
}

INSTANTIATE_TEST_SUITE_P(Kinds, RealImageTraining,
                         ::testing::Values(of_kind(ImageArchitecture::kEbt, false),
                                           of_kind(ImageArchitecture::kEbt, true),
                                           of_kind(ImageArchitecture::kDit, false)),
                         [](const auto& info) {
                           return std::string(info.index == 0   ? "EbtS1"
                                              : info.index == 1 ? "EbtS2"
                                                                : "Dit");
                         });

}  // namespace
}  // namespace ebt
