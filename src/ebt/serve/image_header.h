// How large an image claims to be, from its first bytes: to be asked before memory is taken for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ebt {

struct ImageSize {
  int64_t width = 0;
  int64_t height = 0;
};

// Of a PNG or JPEG as it is stored, not turned. Nothing where there is no such header; then
// decode_image says what is wrong.
std::optional<ImageSize> stored_image_size(std::string_view bytes);

}  // namespace ebt
