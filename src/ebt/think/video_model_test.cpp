// What holds of both architectures of video; recorded steps hold the energy model to more
// (tests/golden/golden_video_test.cpp).
#include "ebt/model/video_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/support/numeric.h"

namespace ebt {
namespace {

using testing::normal_draws;

constexpr int64_t kRows = 4;
constexpr int64_t kContext = 5;
constexpr int64_t kWidth = 8;

VideoModelConfig small_model(Architecture arch) {
  VideoModelConfig config;
  config.arch = arch;
  config.width = kWidth;
  config.heads = 2;
  config.context = kContext;
  return config;
}

VideoThinkingConfig thinking() {
  VideoThinkingConfig config;
  config.step_size = 0.5;
  return config;
}

std::unique_ptr<VideoModel<double>> make(Architecture arch) {
  auto model = make_video_model<double>(small_model(arch), thinking(), kRows, {});
  initialize_weights(*model, thinking(), 3);
  return model;
}

struct SmallClips {
  std::vector<double> frames = normal_draws(kRows * (kContext + 1) * kWidth, 5);

  ClipRows<double> rows(int64_t first = 0, int64_t count = kRows) const {
    const Tensor<const double> all{frames.data(), {kRows, kContext + 1, kWidth}};
    return {all.slice(first, count), first, 1.0 / (kRows * kContext)};
  }
};

TEST(VideoTransformerPp, HasTheGradientsOfCentralDifferences) {
  const SmallClips clips;
  const auto model = make(Architecture::kTransformerPp);
  model->train(clips.rows(), 0, 0);
  for (const ParameterEntry& entry : model->layout().entries()) {
    const Tensor<double> gradient = model->gradients().tensor(entry.name);
    // Some of each, spread over it.
    for (int64_t i = 0; i < gradient.count(); i += std::max<int64_t>(gradient.count() / 7, 1)) {
      constexpr double kStep = 1e-5;
      const auto objective_at = [&](double change) {
        model->edit_weights().tensor(entry.name)[i] += change;
        const double objective = model->evaluate(clips.rows(), 0, 0, {}).mean_objective();
        model->edit_weights().tensor(entry.name)[i] -= change;
        return objective;
      };
      const double slope = (objective_at(kStep) - objective_at(-kStep)) / (2 * kStep);
      EXPECT_NEAR(gradient[i], slope, 1e-8 + 1e-6 * std::abs(slope)) << entry.name << " " << i;
    }
  }
}

class VideoModels : public ::testing::TestWithParam<Architecture> {};

TEST_P(VideoModels, LearnTheSameFromABatchAndFromItsParts) {
  const SmallClips clips;
  const auto whole = make(GetParam());
  const auto parts = make(GetParam());
  LossSums sums = parts->train(clips.rows(0, 1), 9, 2);
  sums.add(parts->train(clips.rows(1, 3), 9, 2));
  const LossSums expected = whole->train(clips.rows(), 9, 2);
  EXPECT_EQ(sums.count, kRows * kContext);
  EXPECT_NEAR(sums.objective, expected.objective, 1e-12 * std::abs(expected.objective));
  double difference = 0;
  double size = 0;
  for (int64_t i = 0; i < whole->layout().count(); ++i) {
    const double value = whole->gradients().all()[i];
    difference += std::pow(parts->gradients().all()[i] - value, 2);
    size += value * value;
  }
  EXPECT_GT(size, 0);
  EXPECT_LT(std::sqrt(difference / size), testing::kDoubleBound);
}

TEST_P(VideoModels, ShowEveryFrameOfEveryStepWithTheLossesOfIt) {
  const SmallClips clips;
  const auto model = make(GetParam());
  const bool thinks = GetParam() == Architecture::kEbt;
  const int64_t steps = thinks ? 3 : 1;
  std::vector<double> errors(static_cast<size_t>(steps));
  std::vector<int64_t> seen(static_cast<size_t>(steps));
  const ClipRows<double> rows = clips.rows();
  const LossSums sums = model->evaluate(
      rows, 1, thinks ? steps : 0, [&](int64_t step, int64_t first, Tensor<const double> frames) {
        for (int64_t i = 0; i < frames.dim(0); ++i) {
          const int64_t row = (first + i) / kContext;
          const int64_t frame = (first + i) % kContext + 1;
          const double* const target = rows.frames.data + (row * (kContext + 1) + frame) * kWidth;
          for (int64_t j = 0; j < kWidth; ++j) {
            errors[static_cast<size_t>(step)] +=
                std::pow(frames[i * kWidth + j] - target[j], 2) / kWidth;
          }
        }
        seen[static_cast<size_t>(step)] += frames.dim(0);
      });
  ASSERT_EQ(static_cast<int64_t>(sums.losses.size()), steps);
  for (size_t step = 0; step < errors.size(); ++step) {
    EXPECT_EQ(seen[step], kRows * kContext);
    EXPECT_NEAR(errors[step], sums.losses[step], 1e-10 * sums.losses[step]);
  }
}

INSTANTIATE_TEST_SUITE_P(Both, VideoModels,
                         ::testing::Values(Architecture::kEbt, Architecture::kTransformerPp));

}  // namespace
}  // namespace ebt
