#include "ebt/data/image/dead_leaves.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>
#include <thread>
#include <vector>

namespace ebt {
namespace {

TEST(DeadLeaves, FollowFromSeedAndIndexAlone) {
  const Image image = draw_dead_leaves(3, 17, 3, 24, 40);
  EXPECT_EQ(image.height, 24);
  EXPECT_EQ(image.width, 40);
  EXPECT_EQ(image.channels, 3);
  EXPECT_EQ(image.pixels.size(), 24U * 40 * 3);
  draw_dead_leaves(3, 16, 3, 24, 40);
  EXPECT_EQ(draw_dead_leaves(3, 17, 3, 24, 40).pixels, image.pixels);
  EXPECT_NE(draw_dead_leaves(3, 18, 3, 24, 40).pixels, image.pixels);
  EXPECT_NE(draw_dead_leaves(4, 17, 3, 24, 40).pixels, image.pixels);
  std::vector<std::thread> threads;
  std::vector<int> same(4);
  for (size_t t = 0; t < same.size(); ++t) {
    threads.emplace_back(
        [&, t] { same[t] = draw_dead_leaves(3, 17, 3, 24, 40).pixels == image.pixels ? 1 : 0; });
  }
  for (size_t t = 0; t < same.size(); ++t) {
    threads[t].join();
    EXPECT_EQ(same[t], 1);
  }
}

TEST(DeadLeaves, HaveAnySize) {
  for (const auto& [height, width] : {std::pair<int64_t, int64_t>{1, 1}, {1, 50}, {33, 2}}) {
    for (const int64_t channels : {1, 3}) {
      for (int64_t index = 0; index < 20; ++index) {
        const Image image = draw_dead_leaves(1, index, channels, height, width);
        EXPECT_EQ(image.channels, channels);
        EXPECT_EQ(image.pixels.size(), static_cast<size_t>(height * width * channels));
      }
    }
  }
}

// Nothing stays uncovered: a pixel without a leaf would be black in all images.
TEST(DeadLeaves, CoverEveryPixelInManyColours) {
  std::vector<int64_t> sums(16 * 16 * 3);
  std::vector<int64_t> levels(256);
  constexpr int64_t kImages = 400;
  for (int64_t index = 0; index < kImages; ++index) {
    const Image image = draw_dead_leaves(9, index, 3, 16, 16);
    for (size_t i = 0; i < sums.size(); ++i) {
      sums[i] += image.pixels[i];
      ++levels[image.pixels[i]];
    }
  }
  for (const int64_t sum : sums) {
    EXPECT_NEAR(static_cast<double>(sum) / kImages, 127, 25) << "evenly over the image";
  }
  for (size_t level = 0; level < 256; ++level) {
    EXPECT_GT(levels[level], 20) << level;
  }
}

// The mean power of rows of grey images at the frequency of `waves` in the width.
double power_at(int64_t side, int64_t waves) {
  double sum = 0;
  for (int64_t index = 0; index < 60; ++index) {
    const Image image = draw_dead_leaves(2, index, 1, side, side);
    for (int64_t y = 0; y < side; y += 4) {
      std::complex<double> amplitude = 0;
      for (int64_t x = 0; x < side; ++x) {
        // A window, so that the jump from the last pixel to the first does not count.
        const double t = (static_cast<double>(x) + 0.5) / static_cast<double>(side);
        const double window = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * t);
        amplitude += window * image.pixels[static_cast<size_t>(y * side + x)] *
                     std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(waves) * t);
      }
      sum += std::norm(amplitude);
    }
  }
  return sum;
}

// Power over a line falls as 1 / f in images whose power over the plane falls as 1 / f^2, which is
// that of photographs; a picture of noise would have slope 0, one of a single edge -2.
TEST(DeadLeaves, HaveTheSpectrumOfPhotographs) {
  const double slope = std::log(power_at(128, 32) / power_at(128, 4)) / std::log(32.0 / 4);
  EXPECT_LT(slope, -1.0);
  EXPECT_GT(slope, -2.0);
}

// Photographs are flat nearly everywhere, and steep at edges: the kurtosis of differences is far
// above the 3 of noise.
TEST(DeadLeaves, HaveEdgesAndFlatPlaces) {
  double square = 0;
  double fourth = 0;
  double count = 0;
  for (int64_t index = 0; index < 50; ++index) {
    const Image image = draw_dead_leaves(5, index, 1, 64, 64);
    for (size_t i = 1; i < image.pixels.size(); ++i) {
      const double difference = i % 64 == 0 ? 0 : image.pixels[i] - image.pixels[i - 1];
      square += difference * difference;
      fourth += std::pow(difference, 4);
      ++count;
    }
  }
  EXPECT_GT(fourth * count / (square * square), 8);
}

}  // namespace
}  // namespace ebt
