#include "ebt/io/base64.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace ebt {
namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr size_t kGroup_bytes = 3;
constexpr size_t kGroupDigits = 4;
constexpr uint8_t kNoDigit = 64;

constexpr std::array<uint8_t, 256> digit_values() {
  std::array<uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (size_t i = 0; i < kDigits.size(); ++i) {
    values[static_cast<unsigned char>(kDigits[i])] = static_cast<uint8_t>(i);
  }
  return values;
}

}  // namespace

std::string base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / kGroup_bytes * kGroupDigits);
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

std::optional<std::string> from_base64(std::string_view text) {
  static constexpr std::array<uint8_t, 256> kValues = digit_values();
  if (text.size() % kGroupDigits != 0) {
    return std::nullopt;
  }
  size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') {
    ++padding;
  }
  std::string bytes;
  bytes.reserve(text.size() / kGroupDigits * kGroup_bytes);
  const size_t digits = text.size() - padding;
  for (size_t i = 0; i < text.size(); i += kGroupDigits) {
    uint32_t bits = 0;
    for (size_t k = i; k < i + kGroupDigits; ++k) {
      const uint8_t value = k < digits ? kValues[static_cast<unsigned char>(text[k])] : 0;
      if (value == kNoDigit) {
        return std::nullopt;
      }
      bits = bits << 6U | value;
    }
    const size_t count = kGroup_bytes - (i + kGroupDigits == text.size() ? padding : 0);
    for (size_t k = 0; k < kGroup_bytes; ++k) {
      const auto byte = static_cast<unsigned char>(bits >> (16U - 8U * k) & 255U);
      if (k < count) {
        bytes += static_cast<char>(byte);
      } else if (byte != 0) {
        return std::nullopt;
      }
    }
  }
  return bytes;
}

}  // namespace ebt
