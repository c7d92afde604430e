#include "ebt/data/tokenizer/byte_level_words.h"

#include <oniguruma.h>

#include <array>
#include <cstdint>
#include <initializer_list>

#include "ebt/core/unicode.h"

namespace ebt {
namespace {

enum class Class : uint8_t { kLetter, kNumber, kSpace, kOther };

// Oniguruma's number of a category of Unicode with a name of one letter.
OnigCtype category(const char* name) {
  auto* const begin = reinterpret_cast<OnigUChar*>(const_cast<char*>(name));
  return static_cast<OnigCtype>(
      ONIGENC_PROPERTY_NAME_TO_CTYPE(ONIG_ENCODING_UTF8, begin, begin + 1));
}

Class class_of(char32_t character) {
  static const OnigCtype letters = category("L");
  static const OnigCtype numbers = category("N");
  if (is_white_space(character)) {
    return Class::kSpace;
  }
  if (ONIGENC_IS_CODE_CTYPE(ONIG_ENCODING_UTF8, character, letters)) {
    return Class::kLetter;
  }
  return ONIGENC_IS_CODE_CTYPE(ONIG_ENCODING_UTF8, character, numbers) ? Class::kNumber
                                                                       : Class::kOther;
}

// Looked up instead of computed where that is quick: ASCII is most of most texts.
Class class_at(std::string_view text, size_t at) {
  static const std::array<Class, 128> ascii = [] {
    std::array<Class, 128> table{};
    for (char32_t character = 0; character < table.size(); ++character) {
      table[character] = class_of(character);
    }
    return table;
  }();
  const auto byte = static_cast<unsigned char>(text[at]);
  return byte < 0x80 ? ascii[byte] : class_of(first_character(text.substr(at)));
}

size_t next_character(std::string_view text, size_t at) {
  return static_cast<unsigned char>(text[at]) < 0x80 ? at + 1
                                                     : at + first_character_bytes(text.substr(at));
}

// The bytes of the contraction that `text` begins with; 0 where there is none.
size_t contraction_bytes(std::string_view text) {
  for (const std::string_view known : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
    if (text.starts_with(known)) {
      return known.size();
    }
  }
  return 0;
}

// The end of the word that begins at `begin`.
size_t end_of_word(std::string_view text, size_t begin) {
  if (text[begin] == '\'') {
    if (const size_t length = contraction_bytes(text.substr(begin))) {
      return begin + length;
    }
  }
  // One blank may stand before anything but white space.
  const bool blank =
      text[begin] == ' ' && begin + 1 < text.size() && class_at(text, begin + 1) != Class::kSpace;
  size_t end = begin + (blank ? 1 : 0);
  const Class kind = class_at(text, end);
  size_t last = end;
  while (end < text.size() && class_at(text, end) == kind) {
    last = end;
    end = next_character(text, end);
  }
  const bool leaves_last = kind == Class::kSpace && end < text.size() && last > begin;
  return leaves_last ? last : end;
}

}  // namespace

void split_byte_level_words(std::string_view text,
                            const std::function<void(std::string_view)>& on_word) {
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = end_of_word(text, begin);
    on_word(text.substr(begin, end - begin));
    begin = end;
  }
}

}  // namespace ebt
