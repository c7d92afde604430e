#include "ebt/report/markup.h"

#include "ebt/core/unicode.h"

namespace ebt {
namespace {

constexpr const char* kReplacement = "\uFFFD";

bool can_be_shown(char32_t character) {
  const bool control = (character < 0x20 && character != '\n' && character != '\t') ||
                       (character >= 0x7F && character < 0xA0);
  const bool turns_direction =
      (character >= 0x202A && character <= 0x202E) || (character >= 0x2066 && character <= 0x2069);
  return !control && !turns_direction && character != 0xFFFE && character != 0xFFFF;
}

}  // namespace

std::string shown_text(std::string_view bytes) {
  std::string shown;
  shown.reserve(bytes.size());
  const auto append_text = [&](std::string_view text) {
    while (!text.empty()) {
      const size_t length = first_character_bytes(text);
      shown += can_be_shown(first_character(text)) ? text.substr(0, length) : kReplacement;
      text.remove_prefix(length);
    }
  };
  split_utf8(bytes, append_text, [&](std::string_view part) {
    for (size_t i = 0; i < part.size(); ++i) {
      shown += kReplacement;
    }
  });
  return shown;
}

std::string escape_markup(std::string_view bytes) {
  std::string escaped;
  for (const char c : shown_text(bytes)) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

}  // namespace ebt
