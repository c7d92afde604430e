#include "ebt/eval/image_quality.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "tests/support/error_text.h"
#include "tests/support/numeric.h"

namespace ebt {
namespace {

using testing::error_text;

Image random_image(int64_t height, int64_t width, int64_t channels, uint32_t seed) {
  Image image{height, width, channels, {}};
  std::mt19937 generator(seed);
  for (int64_t i = 0; i < height * width * channels; ++i) {
    image.pixels.push_back(static_cast<uint8_t>(generator() % 256));
  }
  return image;
}

// The image with something added to every value, clamped.
Image brighter(Image image, int by) {
  for (uint8_t& value : image.pixels) {
    value = static_cast<uint8_t>(std::clamp(value + by, 0, 255));
  }
  return image;
}

double value_of(const Image& image, int64_t y, int64_t x, int64_t channel) {
  return image.pixels[static_cast<size_t>((y * image.width + x) * image.channels + channel)];
}

// Written as the paper's formula is read: every window by itself, with central moments.
double plain_similarity(const Image& a, const Image& b) {
  const int64_t rows = std::min<int64_t>(11, a.height);
  const int64_t columns = std::min<int64_t>(11, a.width);
  const auto weight = [&](int64_t y, int64_t x) {
    const double dy = static_cast<double>(y) - static_cast<double>(rows - 1) / 2.0;
    const double dx = static_cast<double>(x) - static_cast<double>(columns - 1) / 2.0;
    return std::exp(-(dy * dy + dx * dx) / 4.5);
  };
  double all = 0;
  int64_t windows = 0;
  for (int64_t channel = 0; channel < a.channels; ++channel) {
    for (int64_t top = 0; top + rows <= a.height; ++top) {
      for (int64_t left = 0; left + columns <= a.width; ++left) {
        double total = 0, mean_a = 0, mean_b = 0;
        for (int64_t y = 0; y < rows; ++y) {
          for (int64_t x = 0; x < columns; ++x) {
            total += weight(y, x);
            mean_a += weight(y, x) * value_of(a, top + y, left + x, channel);
            mean_b += weight(y, x) * value_of(b, top + y, left + x, channel);
          }
        }
        mean_a /= total;
        mean_b /= total;
        double aa = 0, bb = 0, ab = 0;
        for (int64_t y = 0; y < rows; ++y) {
          for (int64_t x = 0; x < columns; ++x) {
            const double da = value_of(a, top + y, left + x, channel) - mean_a;
            const double db = value_of(b, top + y, left + x, channel) - mean_b;
            aa += weight(y, x) / total * da * da;
            bb += weight(y, x) / total * db * db;
            ab += weight(y, x) / total * da * db;
          }
        }
        const double c1 = 6.5025, c2 = 58.5225;
        all += (2 * mean_a * mean_b + c1) * (2 * ab + c2) /
               ((mean_a * mean_a + mean_b * mean_b + c1) * (aa + bb + c2));
        ++windows;
      }
    }
  }
  return all / static_cast<double>(windows);
}

TEST(StructuralSimilarity, IsThatOfTheFormulaReadPlainly) {
  for (const auto& [height, width, channels] :
       {std::array<int64_t, 3>{16, 23, 3}, {11, 11, 1}, {8, 30, 1}, {5, 3, 3}}) {
    const Image a = random_image(height, width, channels, 1);
    Image b = brighter(random_image(height, width, channels, 2), 20);
    for (size_t i = 0; i < b.pixels.size(); ++i) {
      b.pixels[i] = static_cast<uint8_t>((a.pixels[i] + b.pixels[i]) / 2);
    }
    EXPECT_NEAR(structural_similarity(a, b), plain_similarity(a, b), 1e-10) << height;
    EXPECT_LT(structural_similarity(a, b), 0.99);
  }
}

TEST(StructuralSimilarity, IsSymmetricAndOneForEqualImages) {
  const Image a = random_image(20, 20, 3, 3);
  const Image b = random_image(20, 20, 3, 4);
  EXPECT_DOUBLE_EQ(structural_similarity(a, a), 1);
  EXPECT_NEAR(structural_similarity(a, b), structural_similarity(b, a), 1e-12);
  EXPECT_LT(std::abs(structural_similarity(a, b)), 0.1) << "noise is not like other noise";
  Image inverse = a;
  for (uint8_t& value : inverse.pixels) {
    value = static_cast<uint8_t>(255 - value);
  }
  EXPECT_LT(structural_similarity(a, inverse), -0.5);
}

// Without variance only the means count: (2 a b + C1) / (a^2 + b^2 + C1).
TEST(StructuralSimilarity, OfFlatImagesComparesTheirBrightness) {
  const Image flat = {12, 12, 1, std::vector<uint8_t>(144, 100)};
  EXPECT_NEAR(structural_similarity(flat, brighter(flat, 50)),
              (2 * 100.0 * 150 + 6.5025) / (100.0 * 100 + 150.0 * 150 + 6.5025), 1e-9);
}

TEST(StructuralSimilarity, IsTheSameForAnyThreads) {
  const Image a = random_image(40, 33, 3, 5);
  const Image b = random_image(40, 33, 3, 6);
  testing::expect_same_for_any_threads([&] { return structural_similarity(a, b); });
}

TEST(Psnr, IsTheLogarithmOfTheMeanSquare) {
  const Image flat = {4, 4, 3, std::vector<uint8_t>(48, 100)};
  EXPECT_EQ(mean_squared_error(flat, brighter(flat, 10)), 100);
  EXPECT_NEAR(psnr_of(100), 28.1308, 1e-4);
  EXPECT_EQ(psnr_of(255.0 * 255), 0);
  EXPECT_TRUE(std::isinf(psnr_of(0)));
}

// Pixels in [-1, 1] are 127.5 to a unit.
TEST(ImageQuality, RoundsAndClampsAsAnImageFileDoes) {
  const std::vector<float> grey(36, 0.0F);      // 127.5, rounded to 128
  const std::vector<float> nearby(36, 0.001F);  // 127.6
  std::vector<float> bright(36, 3.0F);          // clamped to 255
  const Shape shape = {1, 6, 6};
  const ImageQuality same = image_quality({nearby.data(), shape}, {grey.data(), shape});
  EXPECT_EQ(same.mse, 0);
  EXPECT_TRUE(std::isinf(same.psnr));
  EXPECT_DOUBLE_EQ(same.ssim, 1);
  EXPECT_NEAR(same.unit_mse, 0.0005 * 0.0005, 1e-10) << "not rounded";
  const ImageQuality far = image_quality({bright.data(), shape}, {grey.data(), shape});
  EXPECT_EQ(far.mse, 127 * 127);
  EXPECT_EQ(far.psnr, psnr_of(127 * 127));
  EXPECT_DOUBLE_EQ(far.unit_mse, 0.25) << "clamped";
}

TEST(ImageQuality, OfGreyWithNoiseIsTheNoisesVariance) {
  const std::vector<double> draws = testing::normal_draws(3 * 64 * 64, 1);
  std::vector<float> noisy;
  for (const double draw : draws) {
    noisy.push_back(static_cast<float>(draw * 25 / 127.5));
  }
  const std::vector<float> grey(noisy.size(), 0.0F);
  const Shape shape = {3, 64, 64};
  const ImageQuality quality = image_quality({noisy.data(), shape}, {grey.data(), shape});
  EXPECT_NEAR(quality.mse, 625, 25);
  EXPECT_NEAR(quality.unit_mse, 625 / 65025.0, 25 / 65025.0);
  EXPECT_NEAR(quality.psnr, 20.17, 0.2);
}

TEST(ImageQuality, RefusesDifferentSizes) {
  const Image a = random_image(4, 5, 1, 1);
  const Image b = random_image(5, 4, 1, 1);
  const std::string sentence = "image quality: 4 x 5 pixels of 1 channels beside 5 x 4 of 1";
  EXPECT_EQ(error_text([&] { structural_similarity(a, b); }), sentence);
  EXPECT_EQ(error_text([&] { mean_squared_error(a, b); }), sentence);
  const std::vector<float> values(20);
  EXPECT_EQ(error_text([&] {
              image_quality({values.data(), {1, 4, 5}}, {values.data(), {1, 5, 4}});
            }),
            "image quality: (1,4,5) beside (1,5,4)");
}

}  // namespace
}  // namespace ebt
