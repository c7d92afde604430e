// UTF-8 text that may hold bytes that are none, and its normal forms.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ebt {

// Length in bytes of the longest prefix of `text` that is valid UTF-8.
size_t valid_utf8_prefix(std::string_view text);

// Calls on_text(part) for every longest valid part, and on_bytes(part) for what lies between.
template <class OnText, class OnBytes>
void split_utf8(std::string_view text, OnText&& on_text, OnBytes&& on_bytes) {
  while (!text.empty()) {
    const size_t valid = valid_utf8_prefix(text);
    if (valid > 0) {
      on_text(text.substr(0, valid));
      text.remove_prefix(valid);
    }
    size_t invalid = 0;
    while (invalid < text.size() && valid_utf8_prefix(text.substr(invalid, 4)) == 0) {
      ++invalid;
    }
    if (invalid > 0) {
      on_bytes(text.substr(0, invalid));
      text.remove_prefix(invalid);
    }
  }
}

// The characters at both ends of valid UTF-8; 0 for empty text.
char32_t first_character(std::string_view text);
char32_t last_character(std::string_view text);
// Length in bytes of the first character of valid, non-empty UTF-8.
size_t first_character_bytes(std::string_view text);
// The character as UTF-8.
std::string to_utf8(char32_t character);
// White_Space of the Unicode standard.
bool is_white_space(char32_t character);
// Letters, marks, digits, connectors and joiners, as \w of Rust's regular expressions.
bool is_word_character(char32_t character);
// Bytes of white space at an end of valid UTF-8.
size_t white_space_at_start(std::string_view text);
size_t white_space_at_end(std::string_view text);

// Valid UTF-8, each character of it in lower case, whatever stands beside it.
std::string lowercase(std::string_view text);
// Valid UTF-8 without its combining marks.
std::string without_marks(std::string_view text);

enum class NormalForm { kNfc, kNfd, kNfkc, kNfkd };
// The normal form of valid UTF-8. Takes O(n log n) for n bytes, whatever they are.
std::string normalized(std::string_view text, NormalForm form);

}  // namespace ebt
