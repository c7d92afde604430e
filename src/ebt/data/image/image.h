// Decoded images, and their conversion to what models read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ebt/core/tensor.h"

namespace ebt {

// 8 bits per channel, rows from the top, channels side by side.
struct Image {
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 0;         // 3: RGB, 1: grey
  std::vector<uint8_t> pixels;  // (height, width, channels)
};

// The largest image that is decoded, in pixels: a header may claim anything.
inline constexpr int64_t kMaxImagePixels = 1 << 28;

// Hears how large an image claims to be, in pixels as it is stored (not turned), before memory is
// taken for it; throwing ends the decoding.
using SizeCheck = std::function<void(int64_t width, int64_t height)>;

// Decodes a PNG or JPEG, told apart by their first bytes. 16 bits per channel are rounded to 8,
// palettes expanded, CMYK turned to RGB, transparency put on white, orientation (Exif) applied.
// Throws Error, which opens with `name`, for anything else: damaged or truncated files, other
// formats, images without pixels or above kMaxImagePixels.
// `check_size` may be empty; what it throws is passed on.
Image decode_image(std::string_view bytes, const std::string& name,
                   const SizeCheck& check_size = nullptr);
Image read_image(const std::filesystem::path& path);

// PNG, or JPEG of quality 95, as the extension says (.png, .jpg, .jpeg). The file is replaced as a
// whole or not at all. Throws Error for other extensions and when it cannot be written.
void write_image(const std::filesystem::path& path, const Image& image);
std::string encode_png(const Image& image);

// The same with `channels` channels: grey repeated, or the luma of ITU-R BT.601.
Image with_channels(const Image& image, int64_t channels);

// planes (C, H, W) = pixels / 127.5 - 1, of the part of the image that begins at (top, left).
// Throws Error when that part is not inside, or the channels differ.
void to_planes(const Image& image, int64_t top, int64_t left, Tensor<float> planes);
// The reverse, of whole planes: rounded and clamped to 0..255.
Image from_planes(Tensor<const float> planes);

}  // namespace ebt
