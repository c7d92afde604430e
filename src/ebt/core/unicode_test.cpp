#include "ebt/core/unicode.h"

#include <gtest/gtest.h>

namespace ebt {
namespace {

std::string repeated(const std::string& part, int64_t count) {
  std::string text;
  for (; count > 0; --count) {
    text += part;
  }
  return text;
}

TEST(NormalForms, OrderAndComposeMarks) {
  const std::string text = "e\u0301\u0323\u00e9\ufb01 \u1100\u1161\u11a8 \u0958";
  EXPECT_EQ(normalized(text, NormalForm::kNfd),
            "e\u0323\u0301e\u0301\ufb01 \u1100\u1161\u11a8 \u0915\u093c");
  EXPECT_EQ(normalized(text, NormalForm::kNfc), "\u1eb9\u0301\u00e9\ufb01 \uac01 \u0915\u093c");
  EXPECT_EQ(normalized(text, NormalForm::kNfkd),
            "e\u0323\u0301e\u0301fi \u1100\u1161\u11a8 \u0915\u093c");
  EXPECT_EQ(normalized(text, NormalForm::kNfkc), "\u1eb9\u0301\u00e9fi \uac01 \u0915\u093c");
  EXPECT_EQ(normalized("", NormalForm::kNfc), "");
}

TEST(NormalForms, KeepTheOrderOfMarksOfOneClass) {
  EXPECT_EQ(normalized("x\u0301\u0300\u0323\u0324\u0302", NormalForm::kNfd),
            "x\u0323\u0324\u0301\u0300\u0302");
}

// Quadratic time would take hours here.
TEST(NormalForms, OfMillionsOfMarksTakeNoLonger) {
  constexpr int64_t kPairs = 1'000'000;  // 4 MB
  const std::string text = "a" + repeated("\u0301\u0323", kPairs);
  const std::string decomposed = "a" + repeated("\u0323", kPairs) + repeated("\u0301", kPairs);
  const std::string composed =
      "\u1ea1" + repeated("\u0323", kPairs - 1) + repeated("\u0301", kPairs);
  EXPECT_TRUE(normalized(text, NormalForm::kNfd) == decomposed);
  EXPECT_TRUE(normalized(text, NormalForm::kNfkd) == decomposed);
  EXPECT_TRUE(normalized(text, NormalForm::kNfc) == composed);
  EXPECT_TRUE(normalized(text, NormalForm::kNfkc) == composed);
}

TEST(Characters, AreOfWordsAsInRustsExpressions) {
  for (const char32_t character : U"aé漢नि1_\u0301\u200d\u200cⒶⅣ") {
    EXPECT_EQ(is_word_character(character), character != 0) << to_utf8(character);
  }
  for (const char32_t character : U" .²½\u3000\u00ad😀+") {
    EXPECT_FALSE(is_word_character(character)) << to_utf8(character);
  }
}

TEST(Characters, AreWrittenSmallOrWithoutMarks) {
  EXPECT_EQ(lowercase("ÀẞΣΑΣ İǅ漢1"), "àßσασ i\u0307ǆ漢1");
  EXPECT_EQ(without_marks("e\u0301\u20ddनि\u0903x"), "eनx");
}

}  // namespace
}  // namespace ebt
