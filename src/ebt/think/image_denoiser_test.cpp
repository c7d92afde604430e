// Both denoisers on small models with random weights.
#include "ebt/think/image_denoiser.h"

#include <gtest/gtest.h>

#include <utility>

#include "ebt/core/bfloat16.h"
#include "ebt/think/ddim.h"
#include "ebt/think/dit_denoiser.h"
#include "ebt/think/ebt_denoiser.h"
#include "tests/support/error_text.h"
#include "tests/support/numeric.h"

namespace ebt::testing {
namespace {

ImageModelConfig tiny(ImageArchitecture arch) {
  ImageModelConfig model;
  model.arch = arch;
  model.image_height = 8;
  model.image_width = 12;
  model.layers = 2;
  model.width = 16;
  model.heads = 2;
  return model;
}

template <class Denoiser>
std::unique_ptr<Denoiser> make(ImageArchitecture arch, int64_t batch, double alpha = 1.0) {
  const ImageModelConfig model = tiny(arch);
  auto layout = std::make_unique<ParameterLayout>(image_model_layout(model));
  ParameterBlock<float> weights(*layout);
  const std::vector<double> draws = normal_draws(layout->count(), 1);
  for (int64_t i = 0; i < layout->count(); ++i) {
    weights.all()[i] = static_cast<float>(0.2 * draws[static_cast<size_t>(i)]);
  }
  if (layout->contains("alpha")) {
    weights.tensor("alpha")[0] = static_cast<float>(alpha);
  }
  return std::make_unique<Denoiser>(model, 99, std::move(layout), std::move(weights), batch);
}

struct Images {
  std::vector<float> pixels;
  explicit Images(int64_t count) {
    for (const double draw : normal_draws(count * 3 * 8 * 12, 2)) {
      pixels.push_back(static_cast<float>(draw / 2));
    }
  }
  Tensor<float> view() {
    return {pixels.data(), {static_cast<int64_t>(pixels.size()) / (3 * 8 * 12), 3, 8, 12}};
  }
  std::vector<double> values() const { return in_double(pixels); }
};

TEST(EbtDenoiser, DescendsTheEnergyAndReportsIt) {
  const auto denoiser = make<EbtDenoiser<float>>(ImageArchitecture::kEbt, 3);
  Images images(3);
  std::vector<std::vector<float>> energies;
  std::vector<int64_t> steps;
  denoiser->denoise(images.view(), {.steps = 4}, [&](const DenoiseStep& step) {
    steps.push_back(step.step);
    energies.emplace_back(step.energy.begin(), step.energy.end());
    EXPECT_EQ(step.patch_energy.shape, Shape({3, 2, 3}));
    for (int64_t b = 0; b < 3; ++b) {
      float sum = 0;
      for (int64_t t = 0; t < 6; ++t) {
        sum += step.patch_energy[b * 6 + t];
      }
      EXPECT_NEAR(sum / 6, step.energy[b], 1e-5F);
      EXPECT_EQ(step.thinking[b], step.step < 4);
    }
    return true;
  });
  EXPECT_EQ(steps, (std::vector<int64_t>{0, 1, 2, 3, 4}));
  for (size_t i = 1; i < energies.size(); ++i) {
    for (size_t b = 0; b < 3; ++b) {
      EXPECT_LT(energies[i][b], energies[i - 1][b]) << "step " << i << ", image " << b;
    }
  }
}

// The same, whether or not anybody watches, and in whatever company.
TEST(EbtDenoiser, GivesEveryImageTheSameInAnyCompany) {
  Images together(3);
  make<EbtDenoiser<float>>(ImageArchitecture::kEbt, 3)->denoise(together.view(), {.steps = 3}, {});
  Images apart(3);
  const auto denoiser = make<EbtDenoiser<float>>(ImageArchitecture::kEbt, 2);
  denoiser->denoise(apart.view().slice(0, 2), {.steps = 3},
                    [](const DenoiseStep&) { return true; });
  denoiser->denoise(apart.view().slice(2, 1), {.steps = 3}, {});
  EXPECT_LE(relative_error(together.pixels, apart.values()), 1e-6);
}

TEST(EbtDenoiser, StopsAnImageWhoseEnergyHasConverged) {
  const auto denoiser = make<EbtDenoiser<float>>(ImageArchitecture::kEbt, 2);
  // What every step gains, image by image.
  std::vector<std::vector<float>> energies;
  Images watched(2);
  denoiser->denoise(watched.view(), {.steps = 6}, [&](const DenoiseStep& step) {
    energies.emplace_back(step.energy.begin(), step.energy.end());
    return true;
  });
  const double first = static_cast<double>(energies[0][0] - energies[1][0]);
  const double second = static_cast<double>(energies[1][0] - energies[2][0]);
  ASSERT_LT(second, first);
  // The first image takes two steps: the second gains too little for a third.
  Images images(2);
  std::vector<bool> thinking;
  denoiser->denoise(images.view(), {.steps = 6, .energy_tolerance = (first + second) / 2},
                    [&](const DenoiseStep& step) {
                      thinking.push_back(step.thinking[0]);
                      return true;
                    });
  ASSERT_GE(thinking.size(), 3U);
  EXPECT_TRUE(thinking[0]);
  EXPECT_TRUE(thinking[1]);
  EXPECT_FALSE(thinking[2]);
  Images two_steps(2);
  denoiser->denoise(two_steps.view(), {.steps = 2}, {});
  for (size_t i = 0; i < 3 * 8 * 12; ++i) {
    ASSERT_EQ(images.pixels[i], two_steps.pixels[i]);
  }
}

TEST(EbtDenoiser, EndsWhenItIsTold) {
  const auto denoiser = make<EbtDenoiser<float>>(ImageArchitecture::kEbt, 1);
  Images stopped(1);
  int calls = 0;
  denoiser->denoise(stopped.view(), {.steps = 5}, [&](const DenoiseStep&) { return ++calls < 2; });
  EXPECT_EQ(calls, 2);
  Images two_steps(1);
  denoiser->denoise(two_steps.view(), {.steps = 2}, {});
  EXPECT_EQ(stopped.pixels, two_steps.pixels);
}

TEST(EbtDenoiser, NamesWhatIsImpossible) {
  const auto denoiser = make<EbtDenoiser<float>>(ImageArchitecture::kEbt, 1);
  Images two(2);
  EXPECT_EQ(error_text([&] { denoiser->denoise(two.view(), {}, {}); }),
            "denoiser: 2 images are not between 1 and 1");
  Images endless(1);
  endless.pixels[5] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(error_text([&] { denoiser->denoise(endless.view(), {}, {}); }),
            "the energy of an image is not finite after 0 steps");
}

TEST(DitDenoiser, WalksTheTimestepsDown) {
  const auto denoiser = make<DitDenoiser<float>>(ImageArchitecture::kDit, 2);
  Images images(2);
  std::vector<int64_t> steps;
  denoiser->denoise(images.view(), {.steps = 5, .timestep = 9}, [&](const DenoiseStep& step) {
    steps.push_back(step.step);
    EXPECT_FALSE(step.energy);
    return true;
  });
  EXPECT_EQ(steps, (std::vector<int64_t>{0, 1, 2, 3, 4}));
  // By hand, with the same weights.
  Dit<float> model(tiny(ImageArchitecture::kDit), 2, {});
  const std::vector<double> draws = normal_draws(model.layout().count(), 1);
  for (int64_t i = 0; i < model.layout().count(); ++i) {
    model.edit_weights().all()[i] = static_cast<float>(0.2 * draws[static_cast<size_t>(i)]);
  }
  Images expected(2);
  for (const int64_t t : {9, 7, 5, 3, 1}) {
    const std::vector<int64_t> all{t, t};
    ddim_step<float>(NoiseSchedule(), t, t == 1 ? -1 : t - 2,
                     model.predict(expected.view(), {all.data(), {2}}), expected.view());
  }
  EXPECT_LE(relative_error(images.pixels, expected.values()), 1e-6);
}

TEST(Denoisers, Bf16IsNearFloat32) {
  Images exact(2);
  make<EbtDenoiser<float>>(ImageArchitecture::kEbt, 2)->denoise(exact.view(), {.steps = 3}, {});
  Images rounded(2);
  make<EbtDenoiser<Bfloat16>>(ImageArchitecture::kEbt, 2)
      ->denoise(rounded.view(), {.steps = 3}, {});
  EXPECT_LE(relative_error(rounded.pixels, exact.values()), 0.01);
  EXPECT_NE(rounded.pixels, exact.pixels);
}

TEST(Denoisers, FeaturesAreMeansOverPatches) {
  Images images(2);
  std::vector<float> features(2 * 16);
  make<EbtDenoiser<float>>(ImageArchitecture::kEbt, 2)
      ->features(images.view(), 99, {features.data(), {2, 16}});
  EXPECT_NE(features[0], features[16]);
  std::vector<float> other(2 * 16);
  make<DitDenoiser<float>>(ImageArchitecture::kDit, 2)
      ->features(images.view(), 99, {other.data(), {2, 16}});
  EXPECT_NE(other, features);
  const std::vector<float> patches{1, 2, 3, 4, 5, 7};
  std::vector<float> mean(2);
  mean_over_patches({patches.data(), {1, 3, 2}}, {mean.data(), {1, 2}});
  EXPECT_FLOAT_EQ(mean[0], 3.0F);
  EXPECT_FLOAT_EQ(mean[1], 13.0F / 3.0F);
}

}  // namespace
}  // namespace ebt::testing
