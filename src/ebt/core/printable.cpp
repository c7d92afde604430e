#include "ebt/core/printable.h"

#include <fmt/format.h>

#include <optional>

#include "ebt/core/unicode.h"

namespace ebt {
namespace {

constexpr size_t kEscape_bytes = 4;  // of "\xNN"

std::string escape_of(char byte) { return fmt::format("\\x{:02x}", static_cast<uint8_t>(byte)); }

std::optional<int> digit_of(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  return c >= 'a' && c <= 'f' ? std::optional(c - 'a' + 10) : std::nullopt;
}

// The byte that an escape at the beginning of `text` stands for: one that escape_bytes() escapes.
std::optional<char> escaped_byte(std::string_view text) {
  if (text.size() < kEscape_bytes || !text.starts_with("\\x")) {
    return std::nullopt;
  }
  const std::optional<int> high = digit_of(text[2]);
  const std::optional<int> low = digit_of(text[3]);
  const int byte = high && low ? 16 * *high + *low : 0;
  return byte >= 0x80 || byte == '\\' ? std::optional(static_cast<char>(byte)) : std::nullopt;
}

// Escapes the bytes that are no UTF-8, and hands the rest to append(text, result).
template <class Append>
std::string with_escapes(std::string_view bytes, Append&& append) {
  std::string result;
  split_utf8(
      bytes, [&](std::string_view text) { append(text, result); },
      [&](std::string_view invalid) {
        for (const char byte : invalid) {
          result += escape_of(byte);
        }
      });
  return result;
}

}  // namespace

std::string escape_bytes(std::string_view bytes) {
  return with_escapes(bytes, [](std::string_view text, std::string& result) {
    for (size_t at = 0; at < text.size(); ++at) {
      if (escaped_byte(text.substr(at)).has_value()) {
        result += escape_of(text[at]);
      } else {
        result.push_back(text[at]);
      }
    }
  });
}

std::string unescape_bytes(std::string_view text) {
  std::string bytes;
  while (!text.empty()) {
    const std::optional<char> escaped = escaped_byte(text);
    bytes.push_back(escaped.value_or(text.front()));
    text.remove_prefix(escaped.has_value() ? kEscape_bytes : 1);
  }
  return bytes;
}

std::string printable(std::string_view text) {
  return with_escapes(text, [](std::string_view valid, std::string& result) {
    for (const char c : valid) {
      if (c == '\n') {
        result += "\\n";
      } else if ((c >= 0 && c < 0x20) || c == 0x7F) {
        result += escape_of(c);
      } else {
        result.push_back(c);
      }
    }
  });
}

}  // namespace ebt
