#include "ebt/data/image/image.h"

#include <cmath>

#include "ebt/core/error.h"

namespace ebt {
namespace {

// ITU-R BT.601, in 65,536ths.
constexpr uint32_t kRed = 19595;
constexpr uint32_t kGreen = 38470;
constexpr uint32_t kBlue = 7471;
static_assert(kRed + kGreen + kBlue == 65536);

uint8_t luma(const uint8_t* rgb) {
  return static_cast<uint8_t>((kRed * rgb[0] + kGreen * rgb[1] + kBlue * rgb[2] + 32768U) >> 16U);
}

// A value in [-1, 1] as 0..255; what is outside, and what is not a number, is brought inside.
uint8_t to_byte(float value) {
  const float level = std::floor((value + 1.0F) * 127.5F + 0.5F);
  if (!(level > 0.0F)) {
    return 0;
  }
  return level < 255.0F ? static_cast<uint8_t>(level) : 255;
}

}  // namespace

Image with_channels(const Image& image, int64_t channels) {
  EBT_CHECK((image.channels == 1 || image.channels == 3) && (channels == 1 || channels == 3),
            "image: cannot make {} channels of {}", channels, image.channels);
  if (image.channels == channels) {
    return image;
  }
  Image result{image.height, image.width, channels, {}};
  const auto count = static_cast<size_t>(image.height * image.width);
  result.pixels.resize(count * static_cast<size_t>(channels));
  const uint8_t* from = image.pixels.data();
  uint8_t* to = result.pixels.data();
  for (size_t i = 0; i < count; ++i) {
    if (channels == 1) {
      to[i] = luma(from + 3 * i);
    } else {
      to[3 * i] = to[3 * i + 1] = to[3 * i + 2] = from[i];
    }
  }
  return result;
}

void to_planes(const Image& image, int64_t top, int64_t left, Tensor<float> planes) {
  EBT_CHECK(planes.shape.rank() == 3 && planes.dim(0) == image.channels,
            "image: planes of shape {} cannot hold {} channels", planes.shape.to_string(),
            image.channels);
  const int64_t height = planes.dim(1);
  const int64_t width = planes.dim(2);
  EBT_CHECK(
      top >= 0 && left >= 0 && top <= image.height - height && left <= image.width - width,
      "image: {} x {} pixels from row {} and column {} are not inside an image of {} x {} pixels",
      width, height, top, left, image.width, image.height);
  for (int64_t channel = 0; channel < image.channels; ++channel) {
    for (int64_t y = 0; y < height; ++y) {
      const uint8_t* from =
          image.pixels.data() + ((top + y) * image.width + left) * image.channels + channel;
      float* const to = planes.data + (channel * height + y) * width;
      for (int64_t x = 0; x < width; ++x, from += image.channels) {
        to[x] = static_cast<float>(*from) / 127.5F - 1.0F;
      }
    }
  }
}

Image from_planes(Tensor<const float> planes) {
  EBT_CHECK(planes.shape.rank() == 3 && (planes.dim(0) == 1 || planes.dim(0) == 3),
            "image: planes of shape {} are neither grey nor RGB", planes.shape.to_string());
  Image image{planes.dim(1), planes.dim(2), planes.dim(0), {}};
  const int64_t count = image.height * image.width;
  image.pixels.resize(static_cast<size_t>(planes.count()));
  for (int64_t channel = 0; channel < image.channels; ++channel) {
    for (int64_t i = 0; i < count; ++i) {
      image.pixels[static_cast<size_t>(i * image.channels + channel)] =
          to_byte(planes[channel * count + i]);
    }
  }
  return image;
}

}  // namespace ebt
