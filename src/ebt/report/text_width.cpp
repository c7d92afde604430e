#include "ebt/report/text_width.h"

#include <utf8proc.h>

#include "ebt/core/unicode.h"

namespace ebt {
namespace {

constexpr std::string_view kEllipsis = "\u2026";

// In parts of the font size.
double character_width(char32_t character) {
  constexpr std::string_view kNarrow = " !'()*,-./:;I[]`fijlrt{|}";
  constexpr std::string_view kWide = "%@MWmw";
  if (character < 0x80) {
    const char c = static_cast<char>(character);
    return kNarrow.find(c) != std::string_view::npos ? 0.4
           : kWide.find(c) != std::string_view::npos ? 0.95
           : c >= 'A' && c <= 'Z'                    ? 0.7
                                                     : 0.62;
  }
  return 0.55 * character_cells(character);
}

// Calls on_character(end, width) for every character; bytes that are none count as one each.
template <class OnCharacter>
void walk(std::string_view text, OnCharacter&& on_character) {
  for (size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    const bool valid = valid_utf8_prefix(rest.substr(0, 4)) > 0;
    at += first_character_bytes(rest);
    on_character(at, character_width(valid ? first_character(rest) : U'\uFFFD'));
  }
}

}  // namespace

int character_cells(char32_t character) {
  return utf8proc_charwidth(static_cast<utf8proc_int32_t>(character));
}

double text_width(std::string_view text, double font_size) {
  double width = 0;
  walk(text, [&](size_t /*end*/, double character) { width += character * font_size; });
  return width;
}

std::string shortened(std::string_view text, double font_size, double width) {
  if (text_width(text, font_size) <= width) {
    return std::string(text);
  }
  double used = text_width(kEllipsis, font_size);
  size_t kept = 0;
  walk(text, [&](size_t end, double character) {
    used += character * font_size;
    kept = used <= width ? end : kept;
  });
  return std::string(text.substr(0, kept)) + std::string(kEllipsis);
}

}  // namespace ebt
