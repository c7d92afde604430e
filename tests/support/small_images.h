// Small images for tests, and what is said of damaged ones.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ebt/data/image/image.h"
#include "tests/support/error_text.h"
#include "tests/support/image_encoder.h"

namespace ebt::testing {

inline std::string refusal(std::string_view bytes) {
  return error_text([&] { decode_image(bytes, "'x'"); });
}

inline std::string bytes_of(const std::vector<uint8_t>& pixels) {
  return {pixels.begin(), pixels.end()};
}

// Smooth, as JPEG likes it, and different in every direction and channel.
inline Image gradient(int64_t height, int64_t width, int64_t channels) {
  Image image{height, width, channels, {}};
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      for (int64_t c = 0; c < channels; ++c) {
        const int64_t height_of_slope = (3 * x + 5 * y + 40 * c) % 400;
        image.pixels.push_back(
            static_cast<uint8_t>(20 + std::min(height_of_slope, 400 - height_of_slope)));
      }
    }
  }
  return image;
}

inline void expect_near(const Image& image, const Image& expected, int tolerance) {
  ASSERT_EQ(image.height, expected.height);
  ASSERT_EQ(image.width, expected.width);
  ASSERT_EQ(image.channels, expected.channels);
  ASSERT_EQ(image.pixels.size(), expected.pixels.size());
  for (size_t i = 0; i < image.pixels.size(); ++i) {
    ASSERT_NEAR(image.pixels[i], expected.pixels[i], tolerance) << i;
  }
}

inline std::string jpeg_of(const Image& image, JpegKind kind = {}) {
  kind.channels = static_cast<int>(image.channels);
  if (image.channels == 1) {
    kind.pixels = kind.stored = JCS_GRAYSCALE;
  }
  return make_jpeg(static_cast<uint32_t>(image.height), static_cast<uint32_t>(image.width),
                   bytes_of(image.pixels), kind);
}

}  // namespace ebt::testing
