#include "ebt/data/tokenizer/byte_level_words.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "ebt/core/unicode.h"
#include "ebt/data/tokenizer/text_pattern.h"

namespace ebt {
namespace {

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  split_byte_level_words(text, [&](std::string_view word) { words.emplace_back(word); });
  return words;
}

std::vector<std::string> matches_in(const std::string& text) {
  static const TextPattern pattern(kByteLevelPattern, TextPattern::Kind::kRegex, "the test");
  std::vector<std::string> matches;
  pattern.for_each_part(text, [&](std::string_view part, bool matched) {
    EXPECT_TRUE(matched) << text;
    matches.emplace_back(part);
  });
  return matches;
}

TEST(ByteLevelWords, AreThoseThatThePatternMatches) {
  std::mt19937_64 random(1);
  const std::u32string favourites =
      U"   \n\r\t'''sdtmrevlab.,129½Ⅳ²_\u0301\u00a0\u2003\u3000\u0085\u180e\u200bé漢नि😀";
  for (int i = 0; i < 10'000; ++i) {
    std::string text;
    for (size_t length = random() % 30; length > 0; --length) {
      const auto any = static_cast<char32_t>(random() % 0x10F800);
      text += random() % 8 == 0 ? to_utf8(any < 0xD800 ? any : any + 0x800)
                                : to_utf8(favourites[random() % favourites.size()]);
    }
    ASSERT_EQ(words_of(text), matches_in(text)) << text;
  }
}

// Between letters each one stands as it does in a text: as a letter, a digit, white space or a
// sign.
TEST(ByteLevelWords, KnowEveryCharacterAsThePatternDoes) {
  std::string text;
  for (char32_t character = 0; character < 0x110000; ++character) {
    if (character < 0xD800 || character >= 0xE000) {
      text += "a" + to_utf8(character) + "1" + to_utf8(character) + " a";
    }
    if (character % 0x800 == 0x7FF) {
      ASSERT_EQ(words_of(text), matches_in(text)) << "up to " << static_cast<uint32_t>(character);
      text.clear();
    }
  }
}

}  // namespace
}  // namespace ebt
