#include "ebt/data/image/exif.h"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace ebt {
namespace {

// Numbers of a TIFF file, in the order of bytes that its header names. Reading outside gives none.
class Tiff {
 public:
  explicit Tiff(std::string_view bytes) : bytes_(bytes), big_endian_(bytes.starts_with('M')) {}

  std::optional<uint32_t> number(uint64_t at, uint64_t count) const {
    if (at > bytes_.size() || count > bytes_.size() - at) {
      return std::nullopt;
    }
    uint32_t value = 0;
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t byte = at + (big_endian_ ? i : count - 1 - i);
      value = value << 8U | static_cast<unsigned char>(bytes_[byte]);
    }
    return value;
  }

 private:
  std::string_view bytes_;
  bool big_endian_;
};

}  // namespace

int exif_orientation(std::string_view tiff) {
  constexpr uint32_t kOrientationTag = 0x0112;
  constexpr uint32_t kShort = 3;
  constexpr uint64_t kEntry_bytes = 12;
  using namespace std::string_view_literals;
  if (!tiff.starts_with("II*\0"sv) && !tiff.starts_with("MM\0*"sv)) {
    return 1;
  }
  const Tiff file(tiff);
  const std::optional<uint32_t> directory = file.number(4, 4);
  const uint32_t entries = directory ? file.number(*directory, 2).value_or(0) : 0;
  for (uint32_t entry = 0; entry < entries; ++entry) {
    const uint64_t at = *directory + 2 + entry * kEntry_bytes;
    if (file.number(at, 2) == kOrientationTag) {
      const uint32_t value = file.number(at + 8, 2).value_or(1);
      const bool is_one = file.number(at + 2, 2) == kShort && file.number(at + 4, 4) == 1U;
      return is_one && value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
    }
  }
  return 1;
}

Image upright(Image image, int orientation) {
  if (orientation == 1) {
    return image;
  }
  const auto is_among = [&](std::initializer_list<int> some) {
    return std::find(some.begin(), some.end(), orientation) != some.end();
  };
  const bool transposed = orientation >= 5;
  const bool rows_reversed = is_among({3, 4, 6, 7});
  const bool columns_reversed = is_among({2, 3, 7, 8});
  Image result{transposed ? image.width : image.height, transposed ? image.height : image.width,
               image.channels, std::vector<uint8_t>(image.pixels.size())};
  uint8_t* to = result.pixels.data();
  for (int64_t y = 0; y < result.height; ++y) {
    for (int64_t x = 0; x < result.width; ++x) {
      int64_t row = transposed ? x : y;
      int64_t column = transposed ? y : x;
      row = rows_reversed ? image.height - 1 - row : row;
      column = columns_reversed ? image.width - 1 - column : column;
      const uint8_t* const from =
          image.pixels.data() + (row * image.width + column) * image.channels;
      to = std::copy(from, from + image.channels, to);
    }
  }
  return result;
}

}  // namespace ebt
