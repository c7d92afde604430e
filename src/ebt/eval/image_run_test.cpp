#include "ebt/eval/image_run.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/error_text.h"
#include "tests/support/image_set.h"
#include "tests/support/scripted_denoiser.h"

namespace ebt {
namespace {

using testing::error_text;
using testing::MemoryImageSet;
using testing::ScriptedDenoiser;
using testing::waves;

ImageModelConfig config_of(ImageArchitecture arch, int64_t side = 16) {
  ImageModelConfig config;
  config.arch = arch;
  config.image_height = side;
  config.image_width = side;
  return config;
}

std::vector<Image> images() {
  return {waves(20, 30, 3, 1), waves(16, 16, 3, 2), {}, waves(41, 17, 3, 3), waves(18, 40, 3, 4)};
}

class ImageMeasurement : public ::testing::Test {
 protected:
  std::vector<ImageContender> contenders() {
    return {{&ebt_, "EBT", {1, 2, 5}}, {&dit_, "DiT", {1, 3, 50, 100}}};
  }
  static ImageMeasurementOptions options() {
    ImageMeasurementOptions options;
    options.on_crops = {ImageNoise::of_level(0.1), ImageNoise::of_level(0.2)};
    options.on_whole_images = {ImageNoise::of_sigma(15)};
    options.seed = 7;
    return options;
  }
  static std::vector<std::string> names_of(const ImageGrid& grid) {
    std::vector<std::string> names;
    for (const ImageRow& row : grid.rows) {
      names.push_back(row.noise.name + ", " + row.method + ", " + std::to_string(row.passes));
    }
    return names;
  }

  ScriptedDenoiser ebt_{config_of(ImageArchitecture::kEbt), 2};
  ScriptedDenoiser dit_{config_of(ImageArchitecture::kDit), 3};
  MemoryImageSet set_{images()};
};

TEST_F(ImageMeasurement, HasARowForEveryNoiseMethodAndNumberOfPasses) {
  const ImageGrid grid = measure_images(set_, contenders(), options(), nullptr);
  using Names = std::vector<std::string>;
  Names expected;
  for (const char* noise : {"level 0.1", "level 0.2"}) {
    for (const char* row : {", noisy input, 0", ", non-local means, 0", ", EBT, 1", ", EBT, 2",
                            ", EBT, 5", ", DiT, 1", ", DiT, 3", ", DiT, 50", ", DiT, 100"}) {
      expected.push_back(noise + std::string(row));
    }
  }
  // Sigma 15 is the noise of timestep 28: DiT has no more than 29 passes from there.
  const std::string all = ", DiT, " + std::to_string(ImageNoise::of_sigma(15).timestep + 1);
  for (const char* row : {", noisy input, 0", ", non-local means, 0", ", EBT, 1", ", EBT, 2",
                          ", EBT, 5", ", DiT, 1", ", DiT, 3", all.c_str()}) {
    expected.push_back("sigma 15" + std::string(row));
  }
  EXPECT_EQ(names_of(grid), expected);
  for (const ImageRow& row : grid.rows) {
    ASSERT_EQ(row.scores.size(), 4U) << "all but the damaged one";
    EXPECT_EQ(row.scores[2].image, "image 3");
    EXPECT_EQ(row.energy().has_value(), row.method == "EBT");
    EXPECT_EQ(row.seconds > 0, row.method != "noisy input");
  }
  EXPECT_EQ(grid.bad_images, 1);
  EXPECT_EQ(grid.bad_sentences, (std::vector<std::string>{"image 2: damaged"}));
}

// What one step of a model makes of the crop of an image, computed once more beside.
TEST_F(ImageMeasurement, ScoresWhatTheModelMakesOfTheScaledNoisyImage) {
  const ImageGrid grid = measure_images(set_, contenders(), options(), nullptr);
  const Image image = images()[1];  // of the model's size
  const Shape shape = {3, 16, 16};
  std::vector<float> clean(768);
  to_planes(image, 0, 0, {clean.data(), shape});
  std::vector<float> noisy(768);
  const ImageNoise noise = ImageNoise::of_level(0.2);
  add_noise(noise, 7, 1, {clean.data(), shape}, {noisy.data(), shape});
  const ImageQuality before = image_quality({noisy.data(), shape}, {clean.data(), shape});
  scale_to_model(noise, {noisy.data(), shape});
  std::vector<double> energies;
  const DenoiseOptions two{.steps = 2, .energy_tolerance = 0, .timestep = noise.timestep};
  ebt_.denoise({noisy.data(), {1, 3, 16, 16}}, two, [&](const DenoiseStep& step) {
    energies.push_back(static_cast<double>(step.energy[0]));
    return true;
  });
  const ImageQuality after = image_quality({noisy.data(), shape}, {clean.data(), shape});
  const ImageRow& input = grid.rows[9];
  const ImageRow& thought = grid.rows[12];
  ASSERT_EQ(thought.passes, 2);
  EXPECT_EQ(input.scores[1].quality.psnr, before.psnr);
  EXPECT_EQ(thought.scores[1].quality.psnr, after.psnr);
  EXPECT_EQ(thought.scores[1].quality.ssim, after.ssim);
  EXPECT_EQ(thought.scores[1].quality.unit_mse, after.unit_mse);
  EXPECT_EQ(thought.scores[1].energy, energies[2]);
}

TEST_F(ImageMeasurement, DoesNotDependOnBatchesOrOnWhatElseIsMeasured) {
  const ImageGrid grid = measure_images(set_, contenders(), options(), nullptr);
  ScriptedDenoiser one(config_of(ImageArchitecture::kEbt), 1);
  ImageMeasurementOptions less = options();
  less.on_crops = {ImageNoise::of_level(0.2)};
  less.filter = false;
  const ImageGrid alone = measure_images(set_, {{&one, "EBT", {2, 5}}}, less, nullptr);
  ASSERT_EQ(alone.rows.size(), 6U);
  for (const auto& [mine, all] :
       {std::pair<size_t, size_t>{0, 9}, {1, 12}, {2, 13}, {3, 18}, {4, 21}, {5, 22}}) {
    EXPECT_EQ(alone.rows[mine].psnr(), grid.rows[all].psnr()) << mine;
    EXPECT_EQ(alone.rows[mine].ssim(), grid.rows[all].ssim()) << mine;
    EXPECT_EQ(alone.rows[mine].energy(), grid.rows[all].energy()) << mine;
  }
}

TEST_F(ImageMeasurement, TakesImagesSpreadEvenlyWithTheirOwnNoise) {
  ImageMeasurementOptions two = options();
  two.images = 2;
  const ImageGrid grid = measure_images(set_, contenders(), options(), nullptr);
  const ImageGrid some = measure_images(set_, contenders(), two, nullptr);
  ASSERT_EQ(some.rows[0].scores.size(), 1U) << "numbers 0 and 2, of which 2 is damaged";
  for (size_t row = 0; row < grid.rows.size(); ++row) {
    EXPECT_EQ(some.rows[row].scores[0].quality.psnr, grid.rows[row].scores[0].quality.psnr);
  }
  EXPECT_EQ(spread_evenly(10, 3), (std::vector<int64_t>{0, 3, 6}));
  EXPECT_EQ(spread_evenly(3, 10), (std::vector<int64_t>{0, 1, 2}));
  EXPECT_EQ(spread_evenly(2, 0), (std::vector<int64_t>{0, 1}));
}

TEST_F(ImageMeasurement, TellsHowFarItIs) {
  std::vector<double> shares;
  measure_images(set_, contenders(), options(), [&](double done) { shares.push_back(done); });
  EXPECT_GT(shares.size(), 30U);
  EXPECT_TRUE(std::is_sorted(shares.begin(), shares.end()));
  EXPECT_NEAR(shares.back(), 0.8, 1e-9) << "one of five images was not there";
}

TEST_F(ImageMeasurement, RefusesWhatItCannotMeasure) {
  const auto refuse = [&](ImageSet& set, const std::vector<ImageContender>& models,
                          const ImageMeasurementOptions& what) {
    return error_text([&] { measure_images(set, models, what, nullptr); });
  };
  MemoryImageSet damaged({Image{}, Image{}});
  EXPECT_EQ(refuse(damaged, contenders(), options()),
            "none of 2 images could be read: image 0: damaged");
  MemoryImageSet nothing({});
  EXPECT_EQ(refuse(nothing, contenders(), options()),
            "none of 0 images could be read: there are none");
  EXPECT_EQ(refuse(set_, {}, options()), "image evaluation: there is no model to measure");
  EXPECT_EQ(refuse(set_, contenders(), {}), "image evaluation: there is nothing to measure");
  ScriptedDenoiser larger(config_of(ImageArchitecture::kDit, 32), 1);
  EXPECT_EQ(refuse(set_, {{&ebt_, "EBT", {1}}, {&larger, "DiT", {1}}}, options()),
            "the models denoise images of 16 x 16 and of 32 x 32 pixels, which only --sigmas can "
            "compare");
  ImageModelConfig grey = config_of(ImageArchitecture::kDit);
  grey.channels = 1;
  ScriptedDenoiser other(grey, 1);
  EXPECT_EQ(refuse(set_, {{&ebt_, "EBT", {1}}, {&other, "DiT", {1}}}, options()),
            "the models denoise images of 3 and of 1 channels");
}

}  // namespace
}  // namespace ebt
