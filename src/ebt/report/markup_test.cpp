#include "ebt/report/markup.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/xml.h"

namespace ebt {
namespace {

TEST(Markup, KeepsTextOfAnyScript) {
  for (const char* text :
       {"plain", "line\nbreak\tand tab", "na\u00EFve \u65E5\u672C\u8A9E \U0001F600",
        "\u0905\u0301\u05D0", "\uFFFD", "\U0010FFFF"}) {
    EXPECT_EQ(escape_markup(text), text);
  }
}

TEST(Markup, NamesTheCharactersThatMarkupClaims) {
  EXPECT_EQ(escape_markup("<a href=\"x\">&amp;</script>"),
            "&lt;a href=&quot;x&quot;&gt;&amp;amp;&lt;/script&gt;");
}

TEST(Markup, ReplacesBytesThatAreNoText) {
  EXPECT_EQ(escape_markup("a\xFF"
                          "b"),
            "a\uFFFDb");
  EXPECT_EQ(escape_markup("\xC3"), "\uFFFD");
  EXPECT_EQ(escape_markup("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD") << "a lone surrogate";
  EXPECT_EQ(escape_markup("\xC0\xAF"), "\uFFFD\uFFFD") << "an overlong slash";
  EXPECT_EQ(escape_markup("\xF4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD") << "above U+10FFFF";
}

TEST(Markup, ReplacesCharactersThatXmlForbidsOrNobodySees) {
  EXPECT_EQ(escape_markup("\uFFFE\uFFFF"), "\uFFFD\uFFFD");
  EXPECT_EQ(escape_markup(std::string("\0\x01\x1B\r\x7F", 5)), "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(escape_markup("\u0080\u009F"), "\uFFFD\uFFFD");
}

TEST(Markup, MakesValidXmlOfAnyBytes) {
  if (testing::kNoXmlParser != nullptr) {
    GTEST_SKIP() << testing::kNoXmlParser;
  }
  std::mt19937 random(1);
  // Bytes that open, continue and break characters are frequent.
  constexpr unsigned char kOften[] = {'<',  '>',  '&',  '"',  0x00, 0x0D, 0x1B,
                                      0x7F, 0x80, 0xA0, 0xBE, 0xBF, 0xC0, 0xC2,
                                      0xE0, 0xED, 0xEF, 0xF0, 0xF4, 0xF5, 0xFF};
  for (int round = 0; round < 20000; ++round) {
    std::string bytes;
    for (size_t length = random() % 12; bytes.size() < length;) {
      const bool often = random() % 2 == 0;
      bytes += static_cast<char>(often ? kOften[random() % std::size(kOften)] : random() % 256);
    }
    const std::string text = escape_markup(bytes);
    ASSERT_EQ(testing::xml_error("<a b=\"" + text + "\">" + text + "</a>"), "") << text;
  }
}

}  // namespace
}  // namespace ebt
