#include "ebt/core/unicode.h"

#include <oniguruma.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <vector>

#include "ebt/core/error.h"

namespace ebt {
namespace {

const utf8proc_uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<const utf8proc_uint8_t*>(text.data());
}

// Length of the character that `text` begins with; 0 when it begins with none.
size_t valid_character_bytes(std::string_view text) {
  utf8proc_int32_t character = 0;
  const utf8proc_ssize_t length =
      utf8proc_iterate(bytes_of(text), static_cast<utf8proc_ssize_t>(text.size()), &character);
  return length > 0 ? static_cast<size_t>(length) : 0;
}

using CodePoints = std::vector<utf8proc_int32_t>;

// The characters that valid UTF-8 decomposes into, in the order of the text.
CodePoints decomposed(std::string_view text, utf8proc_option_t options) {
  std::array<utf8proc_int32_t, 32> parts{};  // the longest decomposition has 18
  CodePoints characters;
  characters.reserve(text.size());
  while (!text.empty()) {
    utf8proc_int32_t character = 0;
    text.remove_prefix(static_cast<size_t>(
        utf8proc_iterate(bytes_of(text), static_cast<utf8proc_ssize_t>(text.size()), &character)));
    int unused = 0;
    const utf8proc_ssize_t count =
        utf8proc_decompose_char(character, parts.data(), parts.size(), options, &unused);
    EBT_CHECK(count >= 0 && count <= static_cast<utf8proc_ssize_t>(parts.size()),
              "cannot normalise a text that has the character {}", character);
    characters.insert(characters.end(), parts.begin(), parts.begin() + count);
  }
  return characters;
}

int combining_class(utf8proc_int32_t character) {
  return utf8proc_get_property(character)->combining_class;
}

// Puts the marks behind each character into canonical order. utf8proc's own way takes quadratic
// time for many marks.
void order_marks(CodePoints& characters) {
  for (auto begin = characters.begin(); begin != characters.end();) {
    if (combining_class(*begin) == 0) {
      ++begin;
      continue;
    }
    const auto end = std::find_if(begin, characters.end(),
                                  [](auto character) { return combining_class(character) == 0; });
    std::stable_sort(begin, end,
                     [](auto a, auto b) { return combining_class(a) < combining_class(b); });
    begin = end;
  }
}

bool is_ascii(char byte) { return static_cast<unsigned char>(byte) < 0x80; }

void append_normalized(std::string_view text, utf8proc_option_t options, std::string& result) {
  CodePoints characters = decomposed(text, options);
  order_marks(characters);
  if ((options & UTF8PROC_COMPOSE) != 0) {
    const utf8proc_ssize_t length = utf8proc_normalize_utf32(
        characters.data(), static_cast<utf8proc_ssize_t>(characters.size()), options);
    characters.resize(static_cast<size_t>(length));
  }
  for (const utf8proc_int32_t character : characters) {
    result += to_utf8(static_cast<char32_t>(character));
  }
}

}  // namespace

size_t valid_utf8_prefix(std::string_view text) {
  size_t end = 0;
  while (end < text.size()) {
    if (static_cast<unsigned char>(text[end]) < 0x80) {
      ++end;
      continue;
    }
    const size_t length = valid_character_bytes(text.substr(end));
    if (length == 0) {
      break;
    }
    end += length;
  }
  return end;
}

char32_t first_character(std::string_view text) {
  utf8proc_int32_t character = 0;
  utf8proc_iterate(bytes_of(text), static_cast<utf8proc_ssize_t>(text.size()), &character);
  return text.empty() ? 0 : static_cast<char32_t>(character);
}

char32_t last_character(std::string_view text) {
  size_t begin = text.size();
  while (begin > 0 && (static_cast<unsigned char>(text[--begin]) & 0xC0U) == 0x80U) {
  }
  return first_character(text.substr(begin));
}

size_t first_character_bytes(std::string_view text) {
  return std::max<size_t>(1, valid_character_bytes(text));
}

std::string to_utf8(char32_t character) {
  utf8proc_uint8_t bytes[4];
  const auto length = utf8proc_encode_char(static_cast<utf8proc_int32_t>(character), bytes);
  return {reinterpret_cast<const char*>(bytes), static_cast<size_t>(length)};
}

bool is_white_space(char32_t character) {
  if (character < 0x80) {
    return character == ' ' || (character >= '\t' && character <= '\r');
  }
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(character));
  return character == 0x85 || category == UTF8PROC_CATEGORY_ZS ||
         category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
}

bool is_word_character(char32_t character) {
  // Oniguruma knows which characters are alphabetic, which is more than the categories say; but
  // here, unlike in its expressions, it also counts the fractions of Latin-1.
  const bool is_word =
      ONIGENC_IS_CODE_WORD(ONIG_ENCODING_UTF8, character) &&
      utf8proc_category(static_cast<utf8proc_int32_t>(character)) != UTF8PROC_CATEGORY_NO;
  return is_word || character == 0x200C || character == 0x200D;
}

size_t white_space_at_end(std::string_view text) {
  size_t count = 0;
  while (count < text.size()) {
    const char32_t character = last_character(text.substr(0, text.size() - count));
    if (!is_white_space(character)) {
      break;
    }
    count += to_utf8(character).size();
  }
  return count;
}

size_t white_space_at_start(std::string_view text) {
  size_t count = 0;
  while (count < text.size() && is_white_space(first_character(text.substr(count)))) {
    count += first_character_bytes(text.substr(count));
  }
  return count;
}

std::string lowercase(std::string_view text) {
  constexpr char32_t kCapitalIWithDot = 0x130;  // the only one that becomes two
  std::string result;
  for (; !text.empty(); text.remove_prefix(first_character_bytes(text))) {
    const char32_t character = first_character(text);
    result += character == kCapitalIWithDot ? "i\u0307"
                                            : to_utf8(static_cast<char32_t>(utf8proc_tolower(
                                                  static_cast<utf8proc_int32_t>(character))));
  }
  return result;
}

std::string without_marks(std::string_view text) {
  std::string result;
  for (; !text.empty(); text.remove_prefix(first_character_bytes(text))) {
    const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(first_character(text)));
    if (category != UTF8PROC_CATEGORY_MN && category != UTF8PROC_CATEGORY_MC &&
        category != UTF8PROC_CATEGORY_ME) {
      result += text.substr(0, first_character_bytes(text));
    }
  }
  return result;
}

std::string normalized(std::string_view text, NormalForm form) {
  const bool composed = form == NormalForm::kNfc || form == NormalForm::kNfkc;
  const bool compatible = form == NormalForm::kNfkc || form == NormalForm::kNfkd;
  const auto options = static_cast<utf8proc_option_t>(
      UTF8PROC_STABLE | (composed ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE) |
      (compatible ? UTF8PROC_COMPAT : 0));
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    // ASCII is its own form, but for a character that a mark stands behind.
    const auto other = std::find_if_not(text.begin(), text.end(), is_ascii);
    const auto begin = other == text.begin() || other == text.end() ? other : other - 1;
    result.append(text.begin(), begin);
    const auto end = std::find_if(other, text.end(), is_ascii);
    append_normalized({begin, end}, options, result);
    text = {end, text.end()};
  }
  return result;
}

}  // namespace ebt
