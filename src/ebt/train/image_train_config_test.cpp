#include "ebt/train/image_train_config.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "ebt/core/config_fields.h"
#include "ebt/model/model_folder.h"
#include "ebt/train/run_config.h"
#include "ebt/train/text_train_config.h"
#include "tests/support/error_text.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::error_text;
using testing::TemporaryFolder;

TEST(ImageTrainConfig, WritesOutItsDefaults) {
  ImageTrainConfig config;
  config.run.steps = 400;
  config.run.batch = 12;
  config.data.data = "photos";
  const ImageTrainConfig resolved = config.resolved();
  EXPECT_EQ(resolved.optimizer.learning_rate, 2.4e-3);
  EXPECT_EQ(resolved.optimizer.warmup_steps, 40);
  EXPECT_EQ(resolved.run.micro_batch, 12);
  EXPECT_NE(resolved.run.precision, "auto");
  EXPECT_EQ(resolved.data.data, (std::filesystem::current_path() / "photos").string());
}

TEST(ImageTrainConfig, RefusesImpossibleFieldsByName) {
  const auto error_of = [](const auto& change) {
    ImageTrainConfig config;
    change(config);
    return error_text([&] { config.check(); });
  };
  EXPECT_EQ(error_of([](ImageTrainConfig&) {}), "no error");
  EXPECT_EQ(error_of([](ImageTrainConfig& c) { c.run.validation_images = -1; }),
            "--validation-images: -1 is negative");
  EXPECT_EQ(error_of([](ImageTrainConfig& c) { c.run.steps = 0; }),
            "--steps: 0 is not between 1 and 1000000000000");
  EXPECT_EQ(error_of([](ImageTrainConfig& c) {
              c.run.batch = 1'000'000;
              c.model.image_height = 4096;
              c.model.image_width = 4096;
            }),
            "--batch: 1000000 images of 50331648 values are more than 4294967296 values in one "
            "step");
  EXPECT_NE(error_of([](ImageTrainConfig& c) { c.model.patch = 5; }).find("--image-height: 32"),
            std::string::npos);
  EXPECT_NE(error_of([](ImageTrainConfig& c) { c.thinking.steps_min = 2; }).find("--steps-min"),
            std::string::npos);
  EXPECT_NE(error_of([](ImageTrainConfig& c) { c.noise.level = 2; }).find("--noise-level"),
            std::string::npos);
  EXPECT_NE(error_of([](ImageTrainConfig& c) { c.data.loaders = 0; }).find("--loaders"),
            std::string::npos);
  EXPECT_NE(error_of([](ImageTrainConfig& c) { c.optimizer.beta1 = 2; }).find("--beta1"),
            std::string::npos);
}

TEST(ImageModelFolder, RestoresEveryFieldOfAConfig) {
  const TemporaryFolder folder;
  ImageTrainConfig config;
  config.model.arch = ImageArchitecture::kDit;
  config.model.image_width = 48;
  config.thinking.step_size = 0.1 + 0.2;
  config.noise.level = 0.25;
  config.optimizer.warmup_steps = 7;
  config.data.data = "/photos/\"quoted\"";
  config.data.flip = false;
  config.run.seed = ~uint64_t{0};
  config.run.validation_images = 3;
  save_config(folder.path(), config);
  EXPECT_EQ(model_kind(folder.path()), ModelKind::kImage);
  EXPECT_EQ(fields_to_json(load_config<ImageTrainConfig>(folder.path())), fields_to_json(config));
}

TEST(ImageModelFolder, KeepsDefaultsForPartsThatAConfigDoesNotName) {
  const TemporaryFolder folder;
  folder.write(kConfigFile, R"({"format_version": 1, "kind": "image", "model": {"layers": 3}})");
  const ImageTrainConfig config = load_config<ImageTrainConfig>(folder.path());
  EXPECT_EQ(config.model.layers, 3);
  EXPECT_EQ(config.model.patch, ImageModelConfig{}.patch);
  EXPECT_EQ(config.run.batch, 32);
}

TEST(ImageModelFolder, RefusesAConfigThatIsNotOne) {
  const TemporaryFolder folder;
  const std::string name = "'" + folder.file(kConfigFile) + "'";
  const auto error_of = [&](const char* text) {
    folder.write(kConfigFile, text);
    return error_text([&] { load_config<ImageTrainConfig>(folder.path()); });
  };
  EXPECT_EQ(error_of(R"({"format_version": 2, "kind": "image"})"),
            name + " has format version 2, and this program reads version 1");
  EXPECT_EQ(
      error_of(R"({"format_version": 1, "kind": "smell"})"),
      name +
          ": \"kind\" must be one of \"image\", \"infill\", \"video_train\", or absent for text");
  EXPECT_EQ(error_of(R"({"format_version": 1, "kind": "image", "tokens": {}})"),
            name +
                " has an unknown part \"tokens\"; known parts are format_version, kind, model, "
                "thinking, noise, optimizer, data, run");
  EXPECT_NE(error_of(R"({"format_version": 1, "kind": "image", "model": {"context": 3}})")
                .find("unknown field \"context\""),
            std::string::npos);
}

TEST(ImageModelFolder, SaysWhatAFolderOfTheOtherKindHoldsAndIsFor) {
  const TemporaryFolder folder;
  save_config(folder.path(), TextTrainConfig{});
  EXPECT_EQ(error_text([&] { load_config<ImageTrainConfig>(folder.path()); }),
            "'" + folder.path().string() +
                "' holds a model of text, not of images: it is for 'ebt generate', 'ebt eval', "
                "'ebt report' and 'ebt train --resume'");
  save_config(folder.path(), ImageTrainConfig{});
  EXPECT_EQ(error_text([&] { load_config<TextTrainConfig>(folder.path()); }),
            "'" + folder.path().string() +
                "' holds a model of images, not of text: it is for 'ebt denoise', 'ebt eval "
                "image', 'ebt probe' and 'ebt train image --resume'");
}

}  // namespace
}  // namespace ebt
