#include <gtest/gtest.h>

#include <cmath>

#include "ebt/layers/diffusion.h"
#include "ebt/layers/smooth_l1.h"
#include "tests/support/error_text.h"
#include "tests/support/numeric.h"

namespace ebt::testing {
namespace {

TEST(SmoothL1, IsSquareNearZeroAndLinearBeyondOne) {
  const std::vector<double> x{0.5, -3.0, 2.0, 2.0};
  const std::vector<double> target{0.0, 0.0, 2.0, 1.0};
  std::vector<double> loss(2);
  std::vector<double> error(2);
  std::vector<double> x_bar(4);
  smooth_l1<double>({x.data(), {2, 2}}, {target.data(), {2, 2}}, 10.0, {loss.data(), {2}},
                    {error.data(), {2}}, {x_bar.data(), {2, 2}});
  EXPECT_EQ(loss, (std::vector<double>{(0.125 + 2.5) / 2, 0.5 / 2}));
  EXPECT_EQ(error, (std::vector<double>{(0.25 + 9.0) / 2, 1.0 / 2}));
  EXPECT_EQ(x_bar, (std::vector<double>{5 * 0.5, 5 * -1.0, 0, 5 * 1.0}));
}

TEST(SmoothL1, OfLongRowsDoesNotDependOnThreads) {
  constexpr int64_t kRows = 3;
  constexpr int64_t kLong = 20'001;
  const std::vector<double> x = normal_draws(kRows * kLong, 1);
  const std::vector<double> target = normal_draws(kRows * kLong, 2);
  const auto losses = [&] {
    std::vector<double> values(2 * kRows);
    smooth_l1<double>({x.data(), {kRows, kLong}}, {target.data(), {kRows, kLong}}, 1.0,
                      {values.data(), {kRows}}, {values.data() + kRows, {kRows}}, {});
    return values;
  };
  expect_same_for_any_threads(losses);
  const std::vector<double> values = losses();
  for (size_t row = 0; row < kRows; ++row) {
    double loss = 0;
    double error = 0;
    for (size_t i = row * kLong; i < (row + 1) * kLong; ++i) {
      const double d = std::abs(x[i] - target[i]);
      loss += (d < 1 ? d * d / 2 : d - 0.5) / kLong;
      error += d * d / kLong;
    }
    EXPECT_NEAR(values[row], loss, 1e-12) << "row " << row;
    EXPECT_NEAR(values[kRows + row], error, 1e-12) << "row " << row;
  }
}

TEST(SmoothL1, NamesWhatDoesNotFit) {
  std::vector<double> values(8);
  EXPECT_EQ(error_text([&] {
              smooth_l1<double>({values.data(), {2, 2}}, {values.data(), {2, 3}}, 1.0,
                                {values.data(), {2}}, {values.data(), {2}}, {});
            }),
            "smooth L1: x is (2,2), its target (2,3), for 2 rows");
}

// Images at several timesteps: black, white and in between, near and far from what is predicted.
struct DiffusionCase {
  NoiseSchedule schedule;
  std::vector<int64_t> timesteps{0, 0, 1, 400, 999};
  std::vector<double> clean, noise, noisy, output;

  DiffusionCase() {
    const auto images = static_cast<int64_t>(timesteps.size());
    clean = normal_draws(images * kSize, 1);
    noise = normal_draws(static_cast<int64_t>(clean.size()), 2);
    output = normal_draws(2 * images * kSize, 3);
    noisy = clean;
    for (size_t i = 0; i < clean.size(); ++i) {
      clean[i] = i % 5 == 0 ? -1.0 : i % 5 == 1 ? 1.0 : std::clamp(clean[i] / 3, -0.99, 0.99);
      const int64_t t = timesteps[i / kSize];
      noisy[i] = schedule.signal(t) * clean[i] + schedule.noise(t) * noise[i];
    }
    // The second image is predicted well.
    std::copy_n(noise.begin() + kSize, kSize, output.begin() + 2 * kSize);
  }
  // mse and vb of every image, and the derivative of 0.5 times their sum.
  std::vector<double> losses(std::vector<double>* output_bar = nullptr) const {
    const auto images = static_cast<int64_t>(timesteps.size());
    std::vector<double> values(2 * timesteps.size());
    const Shape shape{images, 1, 2, kSize / 2};
    diffusion_loss<double>(schedule,
                           {{clean.data(), shape},
                            {noise.data(), shape},
                            {noisy.data(), shape},
                            {timesteps.data(), {images}}},
                           {output.data(), {images, 2, 2, kSize / 2}}, 0.5,
                           {values.data(), {images}}, {values.data() + images, {images}},
                           output_bar == nullptr
                               ? Tensor<double>{}
                               : Tensor<double>{output_bar->data(), {images, 2, 2, kSize / 2}});
    return values;
  }
  static constexpr int64_t kSize = 10;
};

TEST(Diffusion, NoiseIsThatOfEveryImagesTimestep) {
  const DiffusionCase c;
  std::vector<double> noisy(c.noisy.size());
  const auto images = static_cast<int64_t>(c.timesteps.size());
  const Shape shape{images, 1, 2, DiffusionCase::kSize / 2};
  add_noise<double>(
      c.schedule,
      {{c.clean.data(), shape}, {c.noise.data(), shape}, {}, {c.timesteps.data(), {images}}},
      {noisy.data(), shape});
  EXPECT_EQ(noisy, c.noisy);
}

TEST(DiffusionLoss, DerivativeOfTheVarianceIsThatOfTheBound) {
  DiffusionCase c;
  std::vector<double> output_bar(c.output.size());
  c.losses(&output_bar);
  const size_t images = c.timesteps.size();
  const auto bound = [&] {
    const std::vector<double> values = c.losses();
    double sum = 0;
    for (size_t b = 0; b < images; ++b) {
      sum += 0.5 * values[images + b];
    }
    return sum;
  };
  constexpr double kStep = 1e-6;
  for (size_t b = 0; b < images; ++b) {
    for (size_t i = 0; i < DiffusionCase::kSize; ++i) {
      const size_t at = (2 * b + 1) * DiffusionCase::kSize + i;
      const double before = c.output[at];
      c.output[at] = before + kStep;
      const double above = bound();
      c.output[at] = before - kStep;
      const double below = bound();
      c.output[at] = before;
      const double slope = (above - below) / (2 * kStep);
      EXPECT_NEAR(output_bar[at], slope, 1e-6 * (1 + std::abs(slope))) << b << " " << i;
    }
  }
}

// The predicted noise learns from its squared error alone.
TEST(DiffusionLoss, DerivativeOfTheNoiseIsThatOfItsSquaredError) {
  DiffusionCase c;
  std::vector<double> output_bar(c.output.size());
  const std::vector<double> values = c.losses(&output_bar);
  for (size_t b = 0; b < c.timesteps.size(); ++b) {
    double squares = 0;
    for (size_t i = 0; i < DiffusionCase::kSize; ++i) {
      const size_t at = 2 * b * DiffusionCase::kSize + i;
      const double difference = c.output[at] - c.noise[b * DiffusionCase::kSize + i];
      squares += difference * difference;
      EXPECT_NEAR(output_bar[at], 0.5 * 2 * difference / DiffusionCase::kSize, 1e-15);
    }
    EXPECT_NEAR(values[b], squares / DiffusionCase::kSize, 1e-14);
  }
}

// A network that knows noise and variance loses nothing but the bits of quantisation.
TEST(DiffusionLoss, IsZeroForTheTruth) {
  DiffusionCase c;
  for (size_t b = 0; b < c.timesteps.size(); ++b) {
    std::copy_n(c.noise.begin() + static_cast<int64_t>(b) * DiffusionCase::kSize,
                DiffusionCase::kSize, c.output.begin() + 2 * static_cast<int64_t>(b) * 10);
    std::fill_n(c.output.begin() + (2 * static_cast<int64_t>(b) + 1) * 10, 10, -1.0);
  }
  const std::vector<double> values = c.losses();
  const size_t images = c.timesteps.size();
  for (size_t b = 0; b < images; ++b) {
    EXPECT_EQ(values[b], 0.0);
    if (c.timesteps[b] > 0) {
      EXPECT_NEAR(values[images + b], 0.0, 1e-12);
    } else {
      EXPECT_GE(values[images + b], 0.0);
    }
  }
}

}  // namespace
}  // namespace ebt::testing
