#include "ebt/data/image/image_crop.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "ebt/core/error.h"

namespace ebt {
namespace {

// Between which two pixels of a line another lies, and how near it is to the second.
struct Between {
  int64_t first = 0;
  int64_t second = 0;
  float weight = 0;
};

// For pixels first .. first + count of a line that was stretched from `from` pixels to `to`.
std::vector<Between> stretch(int64_t from, int64_t to, int64_t first, int64_t count) {
  std::vector<Between> line(static_cast<size_t>(count));
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  for (int64_t i = 0; i < count; ++i) {
    const double at = std::clamp((static_cast<double>(first + i) + 0.5) * scale - 0.5, 0.0,
                                 static_cast<double>(from - 1));
    const auto before = static_cast<int64_t>(at);
    line[static_cast<size_t>(i)] = {before, std::min(before + 1, from - 1),
                                    static_cast<float>(at - static_cast<double>(before))};
  }
  return line;
}

void enlarge(const Image& image, ImageSize size, int64_t top, int64_t left, Image& part) {
  const std::vector<Between> rows = stretch(image.height, size.height, top, part.height);
  const std::vector<Between> columns = stretch(image.width, size.width, left, part.width);
  const auto mix = [](float a, float b, float weight) { return a + (b - a) * weight; };
  uint8_t* to = part.pixels.data();
  for (const Between& y : rows) {
    const uint8_t* const upper = image.pixels.data() + y.first * image.width * image.channels;
    const uint8_t* const lower = image.pixels.data() + y.second * image.width * image.channels;
    for (const Between& x : columns) {
      for (int64_t c = 0; c < image.channels; ++c) {
        const int64_t first = x.first * image.channels + c;
        const int64_t second = x.second * image.channels + c;
        const float above = mix(upper[first], upper[second], x.weight);
        const float below = mix(lower[first], lower[second], x.weight);
        const float level = mix(above, below, y.weight) + 0.5F;  // to be cut off
        *to++ = static_cast<uint8_t>(level);
      }
    }
  }
}

void mirror_rows(Image& image) {
  for (int64_t y = 0; y < image.height; ++y) {
    uint8_t* const row = image.pixels.data() + y * image.width * image.channels;
    for (int64_t left = 0, right = image.width - 1; left < right; ++left, --right) {
      std::swap_ranges(row + left * image.channels, row + (left + 1) * image.channels,
                       row + right * image.channels);
    }
  }
}

}  // namespace

ImageSize size_to_cut(const Image& image, int64_t height, int64_t width) {
  const double scale = std::max(static_cast<double>(height) / static_cast<double>(image.height),
                                static_cast<double>(width) / static_cast<double>(image.width));
  if (scale <= 1) {
    return {image.height, image.width};
  }
  const auto enlarged = [&](int64_t side, int64_t least) {
    return std::max<int64_t>(std::llround(static_cast<double>(side) * scale), least);
  };
  return {enlarged(image.height, height), enlarged(image.width, width)};
}

Image cut(const Image& image, int64_t top, int64_t left, int64_t height, int64_t width,
          bool mirror) {
  const ImageSize size = size_to_cut(image, height, width);
  EBT_CHECK(top >= 0 && left >= 0 && top <= size.height - height && left <= size.width - width,
            "image: {} x {} pixels from row {} and column {} are not inside {} x {}", width, height,
            top, left, size.width, size.height);
  Image part{height, width, image.channels, {}};
  part.pixels.resize(static_cast<size_t>(height * width * image.channels));
  if (size.height == image.height && size.width == image.width) {
    for (int64_t y = 0; y < height; ++y) {
      const uint8_t* const from =
          image.pixels.data() + ((top + y) * image.width + left) * image.channels;
      std::copy(from, from + width * image.channels,
                part.pixels.data() + y * width * image.channels);
    }
  } else {
    enlarge(image, size, top, left, part);
  }
  if (mirror) {
    mirror_rows(part);
  }
  return part;
}

Image cut_centre(const Image& image, int64_t height, int64_t width) {
  const ImageSize size = size_to_cut(image, height, width);
  return cut(image, (size.height - height) / 2, (size.width - width) / 2, height, width, false);
}

}  // namespace ebt
