// The two formats that image files have, each behind its library; image.h is what others call.
#pragma once

#include <string>
#include <string_view>

#include "ebt/data/image/image.h"

namespace ebt {

// As decode_image, for bytes that begin with the format's signature.
Image decode_png(std::string_view bytes, const std::string& name, const SizeCheck& check_size);
Image decode_jpeg(std::string_view bytes, const std::string& name, const SizeCheck& check_size);

// Of quality 95, colour at full resolution. Throws Error for more than 65,500 pixels a side.
std::string encode_jpeg(const Image& image);

// Throws Error unless the image has pixels, as many as it says, and one or three channels.
void check_encodable(const Image& image);

// Throw Error unless an image of this size is one to read, also for `check_size`, and can be in a
// file of so many bytes: no byte of it stands for more than `most_per_byte` pixels. To be called
// before memory is taken.
void check_image_size(int64_t height, int64_t width, const std::string& name,
                      const SizeCheck& check_size);
void check_plausible_size(int64_t height, int64_t width, double most_per_byte, size_t bytes,
                          const std::string& name);

}  // namespace ebt
