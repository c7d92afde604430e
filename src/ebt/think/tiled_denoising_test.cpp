#include "ebt/think/tiled_denoising.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "tests/support/error_text.h"
#include "tests/support/numeric.h"
#include "tests/support/scripted_denoiser.h"

namespace ebt {
namespace {

using testing::error_text;
using testing::ScriptedDenoiser;

ImageModelConfig config_of(int64_t height, int64_t width, int64_t channels = 3) {
  ImageModelConfig config;
  config.image_height = height;
  config.image_width = width;
  config.channels = channels;
  return config;
}

std::vector<float> noise(int64_t count, uint32_t seed = 1) {
  const std::vector<double> draws = testing::normal_draws(count, seed);
  return {draws.begin(), draws.end()};
}

double total(const std::vector<float>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

TEST(TiledDenoising, IsTheDenoisersResultWhereATileIsTheImage) {
  const ImageModelConfig config = config_of(8, 12);
  std::vector<float> image = noise(config.image_size());
  ScriptedDenoiser denoiser(config, 2);
  const TiledResult result = denoise_tiled(denoiser, {image.data(), {3, 8, 12}}, {.steps = 3},
                                           {.trajectory = true}, nullptr);
  std::vector<std::vector<float>> states;
  std::vector<double> energy;
  std::vector<float> patch_energy;
  denoiser.denoise({image.data(), {1, 3, 8, 12}}, {.steps = 3}, [&](const DenoiseStep& step) {
    states.emplace_back(step.images.begin(), step.images.end());
    energy.push_back(static_cast<double>(step.energy[0]));
    patch_energy.assign(step.patch_energy.begin(), step.patch_energy.end());
    return true;
  });
  EXPECT_EQ(result.image, image);
  EXPECT_EQ(result.tiles, 1);
  EXPECT_EQ(result.steps, 3);
  EXPECT_EQ(result.steps_of_tiles, 3);
  ASSERT_EQ(result.trajectory.size(), 3U);
  ASSERT_EQ(result.energy.size(), 4U);
  for (size_t step = 0; step < 3; ++step) {
    EXPECT_EQ(result.trajectory[step], states[step]);
    EXPECT_NEAR(result.energy[step], energy[step], 1e-6);
    EXPECT_NEAR(result.energy[step + 1], result.energy[step] / 4, 1e-6);
  }
  EXPECT_EQ(result.patch_energy.values, patch_energy);
  EXPECT_EQ(result.patch_energy.rows, 2);
  EXPECT_EQ(result.patch_energy.columns, 3);
}

TEST(TiledDenoising, LeavesAFlatImageFlat) {
  ScriptedDenoiser denoiser(config_of(8, 8), 4);
  for (const int64_t side : {1, 3, 8, 9, 31}) {
    const std::vector<float> image(static_cast<size_t>(3 * side * 2 * side), 0.25F);
    const TiledResult result =
        denoise_tiled(denoiser, {image.data(), {3, side, 2 * side}}, {}, {}, nullptr);
    for (const float pixel : result.image) {
      ASSERT_NEAR(pixel, 0.25, 1e-6) << side;
    }
  }
}

// Steps of half the way leave, after many, the mean of a tile at each of its pixels. So what two
// tiles make of an image is known: their means, faded into one another.
TEST(TiledDenoising, FadesOneTileIntoTheNext) {
  ScriptedDenoiser denoiser(config_of(8, 8, 1), 4);
  std::vector<float> image(8 * 12);  // two tiles, which share 4 columns
  for (size_t i = 0; i < image.size(); ++i) {
    image[i] = i % 12 < 4 ? 0.0F : i % 12 < 8 ? 0.5F : 1.0F;
  }
  const TiledResult result =
      denoise_tiled(denoiser, {image.data(), {1, 8, 12}}, {.steps = 40}, {.overlap = 4}, nullptr);
  EXPECT_EQ(result.tiles, 2);
  for (size_t i = 0; i < image.size(); ++i) {
    const size_t x = i % 12;
    const double turn = std::sin(std::acos(-1) / 2 * (static_cast<double>(x) - 3.5) / 4);
    const double share = x < 4 ? 0 : x >= 8 ? 1 : turn * turn;
    EXPECT_NEAR(result.image[i], 0.25 + 0.5 * share, 1e-6) << x;
  }
}

TEST(TiledDenoising, DoesNotDependOnTheSizeOfBatches) {
  std::vector<float> image = noise(3 * 29 * 37);
  for (size_t i = 0; i < image.size(); ++i) {
    image[i] *= static_cast<float>(i % 37) / 37;  // tiles at the right think longer
  }
  const auto run = [&](int64_t batch) {
    ScriptedDenoiser denoiser(config_of(12, 8), batch);
    TiledResult result =
        denoise_tiled(denoiser, {image.data(), {3, 29, 37}}, {.steps = 6, .energy_tolerance = 0.02},
                      {.trajectory = true}, nullptr);
    EXPECT_EQ(denoiser.images_seen(), result.tiles);
    EXPECT_EQ(denoiser.most_at_once(), std::min(batch, result.tiles));
    return result;
  };
  const TiledResult one = run(1);
  EXPECT_EQ(one.tiles, 4 * 9);
  EXPECT_LT(one.steps_of_tiles, one.tiles * one.steps) << "some tiles stop before others";
  EXPECT_EQ(one.energy.size(), static_cast<size_t>(one.steps) + 1);
  EXPECT_EQ(one.trajectory.back(), one.image);
  for (const int64_t batch : {2, 5, 100}) {
    const TiledResult other = run(batch);
    EXPECT_EQ(other.image, one.image) << batch;
    EXPECT_EQ(other.trajectory, one.trajectory) << batch;
    EXPECT_EQ(other.steps_of_tiles, one.steps_of_tiles) << batch;
    EXPECT_EQ(other.patch_energy.values, one.patch_energy.values) << batch;
    EXPECT_EQ(other.energy, one.energy) << batch;
  }
}

// Tiles that have stopped stand still while others go on, in other batches too.
TEST(TiledDenoising, ShowsEveryStepOfTheWholeImage) {
  ScriptedDenoiser denoiser(config_of(8, 8, 1), 1);
  std::vector<float> image(8 * 16);
  const std::vector<float> draws = noise(8 * 8);
  for (size_t i = 0; i < image.size(); ++i) {
    // The left tile is nearly flat and stops at once.
    image[i] = i % 16 < 8 ? (i % 2 == 0 ? 0.01F : -0.01F) : draws[i / 16 * 8 + i % 8];
  }
  const auto run = [&](const DenoiseOptions& options) {
    return denoise_tiled(denoiser, {image.data(), {1, 8, 16}}, options,
                         {.overlap = 0, .trajectory = true}, nullptr);
  };
  const TiledResult fixed = run({.steps = 5});
  const TiledResult result = run({.steps = 5, .energy_tolerance = 1e-3});
  EXPECT_EQ(result.steps, 5);
  EXPECT_EQ(result.steps_of_tiles, 1 + 5);
  for (size_t step = 0; step < 5; ++step) {
    for (size_t i = 0; i < image.size(); ++i) {
      ASSERT_EQ(result.trajectory[step][i], fixed.trajectory[i % 16 < 8 ? 0 : step][i]);
    }
  }
  EXPECT_NEAR(result.energy[0], fixed.energy[0], 1e-9);
  EXPECT_NEAR(result.energy[5], fixed.energy[5], 1e-4);
  EXPECT_GT(result.energy[5], fixed.energy[5]);
}

TEST(TiledDenoising, AssemblesTheEnergyOfPatches) {
  ScriptedDenoiser denoiser(config_of(8, 8), 3);
  const std::vector<float> image = noise(3 * 18 * 30);
  const TiledResult result =
      denoise_tiled(denoiser, {image.data(), {3, 18, 30}}, {.steps = 2}, {.overlap = 4}, nullptr);
  const PatchMap& map = result.patch_energy;
  EXPECT_EQ(map.rows, 5);  // the last reaches 2 pixels beyond
  EXPECT_EQ(map.columns, 8);
  EXPECT_EQ(map.patch, 4);
  ASSERT_EQ(map.values.size(), 40U);
  EXPECT_NEAR(total(map.values) / 40, result.energy.back(), 1e-6);
  for (const float energy : map.values) {
    EXPECT_GT(energy, 0.01) << "noise of variance 1 is divided by 16";
    EXPECT_LT(energy, 0.2);
  }
}

TEST(TiledDenoising, OfDitHasNoEnergies) {
  ImageModelConfig config = config_of(8, 8);
  config.arch = ImageArchitecture::kDit;
  ScriptedDenoiser denoiser(config, 3);
  const std::vector<float> image = noise(3 * 20 * 20);
  const TiledResult result = denoise_tiled(denoiser, {image.data(), {3, 20, 20}}, {.steps = 4},
                                           {.trajectory = true}, nullptr);
  EXPECT_EQ(result.steps, 4);
  EXPECT_EQ(result.trajectory.size(), 4U);
  EXPECT_EQ(result.trajectory.back(), result.image);
  EXPECT_TRUE(result.energy.empty());
  EXPECT_TRUE(result.patch_energy.values.empty());
}

// What is told of an image of tiles that think for different times, state by state.
class TiledStates : public ::testing::TestWithParam<ImageArchitecture> {
 protected:
  struct Told {
    std::vector<float> image;
    PatchMap patch_energy;
    double energy = 0;
  };

  TiledStates() : image_(noise(3 * 29 * 37)) {
    for (size_t i = 0; i < image_.size(); ++i) {
      image_[i] *= static_cast<float>(i % 37) / 37;
    }
  }

  TiledResult run(int64_t batch, bool trajectory, bool tell = true) {
    ImageModelConfig config = config_of(12, 8);
    config.arch = GetParam();
    ScriptedDenoiser denoiser(config, batch);
    TilingOptions tiling;
    tiling.trajectory = trajectory;
    told_.clear();
    done_at_.clear();
    double latest = 0;
    if (tell) {
      tiling.on_state = [&](const TiledState& state) {
        EXPECT_EQ(state.steps, static_cast<int64_t>(told_.size()));
        EXPECT_EQ(state.image.shape, Shape({3, 29, 37}));
        told_.push_back(
            {{state.image.begin(), state.image.end()}, state.patch_energy, state.energy});
        done_at_.push_back(latest);
      };
    }
    return denoise_tiled(denoiser, {image_.data(), {3, 29, 37}},
                         {.steps = 6, .energy_tolerance = 0.02}, tiling, [&](double done) {
                           latest = done;
                           return true;
                         });
  }

  std::vector<float> image_;
  std::vector<Told> told_;
  std::vector<double> done_at_;  // shares of the work when they were told
};

TEST_P(TiledStates, AreThoseOfTheTrajectory) {
  const TiledResult whole = run(1, true, false);
  for (const int64_t batch : {1, 5, 36, 100}) {
    for (const bool trajectory : {false, true}) {
      const TiledResult result = run(batch, trajectory);
      EXPECT_EQ(result.image, whole.image);
      EXPECT_EQ(result.trajectory, trajectory ? whole.trajectory : decltype(whole.trajectory)());
      ASSERT_EQ(told_.size(), static_cast<size_t>(whole.steps) + 1) << batch;
      EXPECT_EQ(told_[0].image, image_);
      for (size_t step = 1; step < told_.size(); ++step) {
        EXPECT_EQ(told_[step].image, whole.trajectory[step - 1]) << step;
      }
      for (size_t step = 0; step < whole.energy.size(); ++step) {
        EXPECT_EQ(told_[step].energy, whole.energy[step]) << step;
        EXPECT_NEAR(total(told_[step].patch_energy.values) / (8 * 10), whole.energy[step], 1e-6);
      }
      EXPECT_EQ(told_.back().patch_energy.values, whole.patch_energy.values);
      EXPECT_EQ(told_.back().patch_energy.columns, 10);
    }
  }
}

TEST_P(TiledStates, AreToldAsSoonAsTheLastBatchReachesThem) {
  const TiledResult alone = run(100, false);
  ASSERT_EQ(told_.size(), static_cast<size_t>(alone.steps) + 1);
  EXPECT_EQ(done_at_[1], GetParam() == ImageArchitecture::kEbt ? 1.0 / 7 : 0) << "before step 2";
  EXPECT_TRUE(std::is_sorted(done_at_.begin(), done_at_.end()));
  EXPECT_LT(done_at_[2], done_at_.back());
  run(20, false);  // two batches
  EXPECT_GT(done_at_[0], 0.3) << "the first has thought";
  EXPECT_LT(done_at_[1], 1);
}

INSTANTIATE_TEST_SUITE_P(OfModels, TiledStates,
                         ::testing::Values(ImageArchitecture::kEbt, ImageArchitecture::kDit));

TEST(TiledDenoising, TellsHowFarItIsAndCanBeEnded) {
  ScriptedDenoiser denoiser(config_of(8, 8), 2);
  const std::vector<float> image = noise(3 * 20 * 20);
  std::vector<double> shares;
  denoise_tiled(denoiser, {image.data(), {3, 20, 20}}, {.steps = 2}, {}, [&](double done) {
    shares.push_back(done);
    return true;
  });
  EXPECT_EQ(shares.size(), 8U * 3U) << "16 tiles in 8 batches, of 2 steps and the end";
  EXPECT_TRUE(std::is_sorted(shares.begin(), shares.end()));
  EXPECT_NEAR(shares.front(), 2.0 / 16 / 3, 1e-12);
  EXPECT_EQ(shares.back(), 1);
  const TiledResult ended = denoise_tiled(denoiser, {image.data(), {3, 20, 20}}, {}, {},
                                          [&](double done) { return done < 0.5; });
  EXPECT_FALSE(ended.complete);
}

TEST(TiledDenoising, RefusesWhatItCannotDo) {
  ScriptedDenoiser denoiser(config_of(8, 8), 2);
  std::vector<float> image = noise(3 * 16 * 16);
  const auto refuse = [&](const Shape& shape, const TilingOptions& tiling) {
    return error_text([&] { denoise_tiled(denoiser, {image.data(), shape}, {}, tiling, nullptr); });
  };
  EXPECT_EQ(refuse({1, 16, 16}, {}),
            "the image has 1 channels, and the model denoises images of 3");
  EXPECT_EQ(refuse({3, 0, 16}, {}), "denoising: (3,0,16) is no image");
  EXPECT_EQ(refuse({3, 16, 16}, {.overlap = 5}),
            "an overlap of 5 pixels leaves a tile of 8 no whole patch (4) of its own");
  image[40] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(refuse({3, 16, 16}, {}),
            "the model left pixels that are not finite after 3 steps: it diverges with so many, or "
            "its weights are damaged");
}

}  // namespace
}  // namespace ebt
