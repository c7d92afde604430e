#include "ebt/io/base64.h"

#include <cstddef>
#include <cstdint>

namespace ebt {

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr size_t kGroup_bytes = 3;
  std::string text;
  text.reserve((bytes.size() + 2) / kGroup_bytes * 4);
  for (size_t i = 0; i < bytes.size(); i += kGroup_bytes) {
    const std::string_view group = bytes.substr(i, kGroup_bytes);
    uint32_t bits = 0;
    for (size_t k = 0; k < kGroup_bytes; ++k) {
      bits = bits << 8U | (k < group.size() ? static_cast<unsigned char>(group[k]) : 0U);
    }
    // A group of n bytes has n + 1 digits.
    for (size_t digit = 0; digit <= kGroup_bytes; ++digit) {
      text += digit <= group.size() ? kDigits[bits >> (18U - 6U * digit) & 63U] : '=';
    }
  }
  return text;
}

}  // namespace ebt
