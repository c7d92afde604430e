#include "ebt/serve/image_header.h"

#include <cstddef>

namespace ebt {
namespace {

// A big-endian number of `count` bytes, all of which must be there.
int64_t number_at(std::string_view bytes, size_t at, size_t count) {
  int64_t number = 0;
  for (size_t i = at; i < at + count; ++i) {
    number = number << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return number;
}

std::optional<ImageSize> png_size(std::string_view bytes) {
  constexpr size_t kName = 12;  // behind the signature and the header's length
  constexpr size_t kSize = 16;
  if (bytes.size() < kSize + 8 || bytes.substr(kName, 4) != "IHDR") {
    return std::nullopt;
  }
  return ImageSize{number_at(bytes, kSize, 4), number_at(bytes, kSize + 4, 4)};
}

// Whether a segment of this marker describes the frame: SOF0 to SOF15, without DHT, JPG and DAC,
// which stand between them.
bool begins_frame(int64_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

// Whether a marker stands alone, without a length: TEM, RST0 to RST7, SOI.
bool stands_alone(int64_t marker) { return marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8); }

// Walks from marker to marker, over bytes that belong to none, as decoders do.
std::optional<ImageSize> jpeg_size(std::string_view bytes) {
  constexpr int64_t kEnd = 0xD9;
  constexpr int64_t kScan = 0xDA;
  for (size_t at = 2;;) {
    at = bytes.find('\xff', at);
    at = at == std::string_view::npos ? at : bytes.find_first_not_of('\xff', at);
    if (at == std::string_view::npos) {
      return std::nullopt;
    }
    const int64_t marker = number_at(bytes, at, 1);
    ++at;
    if (marker == 0 || stands_alone(marker)) {
      continue;
    }
    // Length (2 bytes, itself included), and of a frame: precision (1), height (2), width (2).
    if (marker == kEnd || marker == kScan || bytes.size() - at < 7) {
      return std::nullopt;
    }
    if (begins_frame(marker)) {
      return ImageSize{number_at(bytes, at + 5, 2), number_at(bytes, at + 3, 2)};
    }
    const auto length = static_cast<size_t>(number_at(bytes, at, 2));
    if (length < 2 || length > bytes.size() - at) {
      return std::nullopt;
    }
    at += length;
  }
}

}  // namespace

std::optional<ImageSize> stored_image_size(std::string_view bytes) {
  if (bytes.starts_with("\x89PNG\r\n\x1a\n")) {
    return png_size(bytes);
  }
  if (bytes.starts_with("\xff\xd8\xff")) {
    return jpeg_size(bytes);
  }
  return std::nullopt;
}

}  // namespace ebt
