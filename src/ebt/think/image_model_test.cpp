// Both image models as training sees them: gradients against finite differences, and results that
// do not depend on how the work is cut.
#include "ebt/model/image_model.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/error_text.h"
#include "tests/support/numeric.h"

namespace ebt::testing {
namespace {

// Oblong images, of patches that differ in number along the axes.
ImageModelConfig tiny(ImageArchitecture arch) {
  ImageModelConfig model;
  model.arch = arch;
  model.image_height = 4;
  model.image_width = 6;
  model.patch = 2;
  model.layers = 2;
  model.width = 8;
  model.heads = 2;
  model.ffn_multiplier = 1.5;
  return model;
}

ImageThinkingConfig thinking_of(int64_t steps, bool detach, bool truncate) {
  ImageThinkingConfig thinking;
  thinking.steps_min = thinking.steps_max = steps;
  thinking.step_size = 0.5;
  thinking.step_size_spread = 1.5;
  thinking.detach = detach;
  thinking.truncate = truncate;
  thinking.langevin_noise = 0.1;
  return thinking;
}

// A model with weights, and images for it.
struct Trained {
  std::unique_ptr<ImageModel<double>> model;
  std::vector<double> pixels;
  Tensor<const double> images;

  Trained(ImageArchitecture arch, const ImageThinkingConfig& thinking, int64_t count,
          EngineOptions options = {})
      : model(make_image_model<double>(tiny(arch), thinking, {}, count, options)) {
    initialize_weights(*model, thinking, 3);
    // No weight may be zero, so that all gradients count.
    const Tensor<double> weights = model->edit_weights().all();
    const std::vector<double> more = normal_draws(weights.count(), 4);
    for (int64_t i = 0; i < weights.count(); ++i) {
      weights[i] += 0.1 * more[static_cast<size_t>(i)];
    }
    pixels = normal_draws(count * model->config().image_size(), 5);
    for (double& pixel : pixels) {
      pixel = std::clamp(pixel / 2, -1.0, 1.0);
    }
    images = {pixels.data(), {count, 3, 4, 6}};
  }
  ImageRows<double> rows(int64_t first, int64_t count, int64_t all) const {
    return {images.slice(first, count), first, 1.0 / static_cast<double>(all)};
  }
  // Gradients of all weights, in the order of the layout.
  std::vector<double> gradients() const {
    const Tensor<double> all = model->gradients().all();
    return {all.begin(), all.end()};
  }
  void forget() {
    const Tensor<double> all = model->gradients().all();
    std::fill(all.begin(), all.end(), 0.0);
  }
};

struct Mode {
  const char* name;
  ImageArchitecture arch;
  ImageThinkingConfig thinking;
};
std::vector<Mode> modes() {
  return {{"one step", ImageArchitecture::kEbt, thinking_of(1, true, false)},
          {"three detached steps", ImageArchitecture::kEbt, thinking_of(3, true, false)},
          {"three steps", ImageArchitecture::kEbt, thinking_of(3, false, false)},
          {"truncated", ImageArchitecture::kEbt, thinking_of(3, false, true)},
          {"DiT", ImageArchitecture::kDit, thinking_of(1, true, false)}};
}

// What detached and truncated steps leave out of the gradient is what finite differences see, so
// only modes that leave nothing out can be compared: one step, all steps, and DiT, of whose second
// loss the mean counts as a constant.
TEST(ImageModel, GradientsAreTheDerivativesOfTheObjective) {
  for (const Mode& mode : modes()) {
    if (mode.thinking.steps_max > 1 && (mode.thinking.detach || mode.thinking.truncate)) {
      continue;
    }
    const bool dit = mode.arch == ImageArchitecture::kDit;
    Trained trained(mode.arch, mode.thinking, 2);
    const auto objective = [&] {
      return trained.model->train(trained.rows(0, 2, 2), 7, 11).objective / 2;
    };
    objective();
    const std::vector<double> gradients = trained.gradients();
    const ParameterLayout& layout = trained.model->layout();
    for (const ParameterEntry& entry : layout.entries()) {
      if (dit && entry.name != "final_layer.linear.bias") {
        continue;
      }
      for (const int64_t i : {int64_t{0}, entry.shape.count() / 2, entry.shape.count() - 1}) {
        double& weight = trained.model->edit_weights().all()[entry.offset + i];
        const double before = weight;
        constexpr double kStep = 1e-5;
        weight = before + kStep;
        trained.model->edit_weights();
        const double above = objective();
        weight = before - kStep;
        const double below = objective();
        weight = before;
        const double slope = (above - below) / (2 * kStep);
        const double found = gradients[static_cast<size_t>(entry.offset + i)];
        // The last entry of DiT's bias moves the variance alone, whose loss has no constants.
        if (!dit || i + 1 == entry.shape.count()) {
          EXPECT_NEAR(found, slope, 1e-7 * (1 + std::abs(slope)))
              << mode.name << ", " << entry.name << " " << i;
        }
      }
    }
  }
}

TEST(ImageModel, GradientsDoNotDependOnHowTheBatchIsCut) {
  for (const Mode& mode : modes()) {
    SCOPED_TRACE(mode.name);
    Trained whole(mode.arch, mode.thinking, 5);
    const LossSums sums = whole.model->train(whole.rows(0, 5, 5), 7, 11);
    for (const int64_t positions : {1, 12, 30}) {
      EngineOptions options;
      options.chunk_positions = positions;
      Trained cut(mode.arch, mode.thinking, 5, options);
      LossSums parts;
      for (const int64_t first : {0, 3}) {
        parts.add(cut.model->train(cut.rows(first, first == 0 ? 3 : 2, 5), 7, 11));
      }
      EXPECT_LE(relative_error(cut.gradients(), whole.gradients()), kDoubleBound);
      EXPECT_NEAR(parts.objective, sums.objective, 1e-12);
      EXPECT_EQ(parts.count, 5);
      EXPECT_LE(relative_error(parts.losses, sums.losses), kDoubleBound);
      EXPECT_LE(relative_error(parts.energies, sums.energies), kDoubleBound);
    }
  }
}

TEST(ImageModel, ResultsDoNotDependOnTheNumberOfThreads) {
  for (const Mode& mode : modes()) {
    SCOPED_TRACE(mode.name);
    expect_same_for_any_threads([&] {
      Trained trained(mode.arch, mode.thinking, 3);
      trained.model->train(trained.rows(0, 3, 3), 7, 11);
      return trained.gradients();
    });
  }
}

TEST(ImageModel, EvaluationLearnsNothingAndIsTheSameInParts) {
  for (const Mode& mode : modes()) {
    SCOPED_TRACE(mode.name);
    EngineOptions options;
    options.training = false;
    Trained trained(mode.arch, mode.thinking, 4, options);
    const LossSums whole = trained.model->evaluate(trained.rows(0, 4, 4), 9);
    LossSums parts;
    for (const int64_t first : {0, 1, 2, 3}) {
      parts.add(trained.model->evaluate(trained.rows(first, 1, 4), 9));
    }
    EXPECT_NEAR(parts.objective, whole.objective, 1e-12);
    EXPECT_LE(relative_error(parts.losses, whole.losses), kDoubleBound);
    EXPECT_NE(trained.model->evaluate(trained.rows(0, 4, 4), 10).objective, whole.objective);
  }
}

TEST(ImageModel, EstimatesTheMemoryItTakes) {
  const ImageThinkingConfig thinking = thinking_of(2, false, false);
  for (const auto arch : {ImageArchitecture::kEbt, ImageArchitecture::kDit}) {
    const size_t few = image_model_bytes<float>(tiny(arch), thinking, 2, {});
    const size_t many = image_model_bytes<float>(tiny(arch), thinking, 64, {});
    EXPECT_GT(few, 0U);
    EXPECT_GT(many, few);
  }
}

TEST(ImageModel, NamesWhatIsImpossible) {
  ImageModelConfig model = tiny(ImageArchitecture::kEbt);
  const auto make = [&](const ImageThinkingConfig& thinking, double level) {
    return error_text([&] { make_image_model<double>(model, thinking, {level}, 1, {}); });
  };
  EXPECT_EQ(make({}, 1.5), "--noise-level: 1.5 is not in (0, 1]");
  model.patch = 4;
  EXPECT_EQ(make({}, 0.1), "--image-width: 6 is not a multiple of the patch (4) up to 4096");
  model = tiny(ImageArchitecture::kEbt);
  model.width = 6;
  EXPECT_EQ(make({}, 0.1), "--width: 6 is not a multiple of 4 between 4 and 65536");
  model = tiny(ImageArchitecture::kEbt);
  model.channels = 2;
  EXPECT_EQ(make({}, 0.1), "--channels: 2 is neither 1 nor 3");
  model = tiny(ImageArchitecture::kEbt);
  ImageThinkingConfig thinking;
  thinking.steps_min = 3;
  EXPECT_EQ(make(thinking, 0.1), "--steps-min, --steps-max: 3..1 is not a range within 1..1000");
}

}  // namespace
}  // namespace ebt::testing
