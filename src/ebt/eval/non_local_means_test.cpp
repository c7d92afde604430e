#include "ebt/eval/non_local_means.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ebt/eval/image_quality.h"
#include "ebt/think/tile_grid.h"
#include "tests/support/error_text.h"
#include "tests/support/numeric.h"

namespace ebt {
namespace {

using testing::error_text;

struct Planes {
  std::vector<float> values;
  Shape shape;

  Tensor<const float> view() const { return {values.data(), shape}; }
  float at(int64_t c, int64_t y, int64_t x) const {
    return values[static_cast<size_t>((c * shape[1] + reflected(y, shape[1])) * shape[2] +
                                      reflected(x, shape[2]))];
  }
};

Planes with_noise(Planes planes, double deviation, uint32_t seed) {
  const std::vector<double> draws = testing::normal_draws(planes.shape.count(), seed);
  for (size_t i = 0; i < draws.size(); ++i) {
    planes.values[i] += static_cast<float>(deviation * draws[i]);
  }
  return planes;
}

// Stripes of two colours, at an angle.
Planes stripes(const Shape& shape) {
  Planes planes{{}, shape};
  for (int64_t i = 0; i < shape.count(); ++i) {
    const int64_t y = i / shape[2] % shape[1];
    planes.values.push_back((i % shape[2] + y / 2) / 5 % 2 == 0 ? 0.5F : -0.4F);
  }
  return planes;
}

Planes filtered(const Planes& noisy, double deviation, const NonLocalMeansOptions& options) {
  Planes result = noisy;
  non_local_means(noisy.view(), deviation, options, {result.values.data(), noisy.shape});
  return result;
}

// The definition, pixel by pixel: what each patch around a pixel says of it, averaged.
double plain(const Planes& u, double deviation, const NonLocalMeansOptions& options, int64_t c,
             int64_t y, int64_t x) {
  const int64_t f = options.patch_radius;
  const int64_t r = options.search_radius;
  const double h = options.strength * deviation;
  double all = 0;
  for (int64_t py = y - f; py <= y + f; ++py) {
    for (int64_t px = x - f; px <= x + f; ++px) {
      double weights = 0;
      double sum = 0;
      for (int64_t dy = -r; dy <= r; ++dy) {
        for (int64_t dx = -r; dx <= r; ++dx) {
          double distance = 0;
          for (int64_t k = 0; k < u.shape[0]; ++k) {
            for (int64_t i = -f; i <= f; ++i) {
              for (int64_t j = -f; j <= f; ++j) {
                const double one = static_cast<double>(u.at(k, py + i, px + j)) -
                                   static_cast<double>(u.at(k, py + dy + i, px + dx + j));
                distance += one * one;
              }
            }
          }
          distance /= static_cast<double>(u.shape[0] * (2 * f + 1) * (2 * f + 1));
          const double weight =
              std::exp(-std::max(distance - 2 * deviation * deviation, 0.0) / (h * h));
          weights += weight;
          sum += weight * static_cast<double>(u.at(c, y + dy, x + dx));
        }
      }
      all += sum / weights;
    }
  }
  return all / static_cast<double>((2 * f + 1) * (2 * f + 1));
}

TEST(NonLocalMeans, IsItsDefinition) {
  for (const Shape& shape : {Shape{3, 37, 14}, Shape{1, 6, 40}}) {
    const double deviation = 0.2;
    const NonLocalMeansOptions options{2, 3, 0.8};
    const Planes noisy = with_noise(stripes(shape), deviation, 1);
    const Planes result = filtered(noisy, deviation, options);
    for (int64_t i = 0; i < shape.count(); i += 7) {
      const int64_t c = i / (shape[1] * shape[2]);
      const int64_t y = i / shape[2] % shape[1];
      const int64_t x = i % shape[2];
      EXPECT_NEAR(result.at(c, y, x), plain(noisy, deviation, options, c, y, x), 1e-5);
    }
  }
}

TEST(NonLocalMeans, TakesNoiseOffWhatRepeatsItself) {
  const Planes clean = stripes({3, 64, 64});
  for (const double sigma : {15.0, 25.0, 50.0}) {
    const double deviation = sigma / 127.5;
    const Planes noisy = with_noise(clean, deviation, 2);
    const double before = image_quality(noisy.view(), clean.view()).psnr;
    const Planes result = filtered(noisy, deviation, NonLocalMeansOptions::for_noise(sigma, 3));
    EXPECT_GT(image_quality(result.view(), clean.view()).psnr, before + 9) << sigma;
  }
}

TEST(NonLocalMeans, KeepsAFlatImageAndOneOfAPixel) {
  for (const Shape& shape : {Shape{1, 1, 1}, Shape{3, 40, 3}}) {
    const Planes flat{std::vector<float>(static_cast<size_t>(shape.count()), 0.3F), shape};
    for (const float pixel : filtered(flat, 0.1, {1, 10, 0.5}).values) {
      ASSERT_NEAR(pixel, 0.3, 1e-5);
    }
  }
}

TEST(NonLocalMeans, IsTheSameForAnyThreads) {
  const Planes noisy = with_noise(stripes({3, 70, 20}), 0.2, 3);
  testing::expect_same_for_any_threads([&] { return filtered(noisy, 0.2, {1, 5, 0.5}).values; });
}

TEST(NonLocalMeans, ComparesLargerPatchesInMoreNoise) {
  EXPECT_EQ(NonLocalMeansOptions::for_noise(25, 3).patch_radius, 1);
  EXPECT_EQ(NonLocalMeansOptions::for_noise(25.1, 3).patch_radius, 2);
  EXPECT_EQ(NonLocalMeansOptions::for_noise(25, 3).search_radius, 10);
  EXPECT_EQ(NonLocalMeansOptions::for_noise(50, 3).strength, 0.40);
  EXPECT_EQ(NonLocalMeansOptions::for_noise(15, 1).strength, 0.40);
  EXPECT_EQ(NonLocalMeansOptions::for_noise(500, 1).patch_radius, 5);
}

TEST(NonLocalMeans, RefusesWhatItCannotFilter) {
  std::vector<float> values(12);
  EXPECT_EQ(error_text([&] {
              non_local_means({values.data(), {1, 3, 4}}, 0.1, {}, {values.data(), {1, 4, 3}});
            }),
            "non-local means: (1,3,4) into (1,4,3)");
  EXPECT_EQ(error_text([&] {
              non_local_means({values.data(), {1, 3, 4}}, 0, {}, {values.data(), {1, 3, 4}});
            }),
            "non-local means: a deviation of 0 is not above 0");
}

}  // namespace
}  // namespace ebt
