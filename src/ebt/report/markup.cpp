#include "ebt/report/markup.h"

#include "ebt/data/unicode.h"

namespace ebt {
namespace {

constexpr const char* kReplacement = "\uFFFD";

bool is_allowed(char32_t character) {
  const bool control = (character < 0x20 && character != '\n' && character != '\t') ||
                       (character >= 0x7F && character < 0xA0);
  return !control && character != 0xFFFE && character != 0xFFFF;
}

void append_escaped(std::string_view character, std::string& escaped) {
  switch (character[0]) {
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
      escaped += is_allowed(first_character(character)) ? character : kReplacement;
  }
}

}  // namespace

std::string escape_markup(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  const auto append_text = [&](std::string_view part) {
    while (!part.empty()) {
      const size_t length = first_character_bytes(part);
      append_escaped(part.substr(0, length), escaped);
      part.remove_prefix(length);
    }
  };
  split_utf8(text, append_text, [&](std::string_view bytes) {
    for (size_t i = 0; i < bytes.size(); ++i) {
      escaped += kReplacement;
    }
  });
  return escaped;
}

}  // namespace ebt
