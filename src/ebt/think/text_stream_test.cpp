#include "ebt/think/text_stream.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/error_text.h"

namespace ebt {
namespace {

using testing::error_text;

// What a stream gives back piece by piece, ended by what finish() does.
std::vector<std::string> stream(const std::vector<std::string>& pieces,
                                const std::vector<std::string>& stops = {}) {
  TextStream text(stops);
  std::vector<std::string> given;
  for (const std::string& piece : pieces) {
    given.push_back(text.feed(piece));
  }
  given.push_back(text.finish());
  return given;
}

using Pieces = std::vector<std::string>;

TEST(TextStream, GivesPlainTextBackAtOnce) {
  EXPECT_EQ(stream({"a", "bc", "", "d"}), (Pieces{"a", "bc", "", "d", ""}));
}

TEST(TextStream, HoldsAnUnfinishedCharacterBack) {
  EXPECT_EQ(stream({"a\xC3", "\xA9z"}), (Pieces{"a", "\xC3\xA9z", ""}));
  EXPECT_EQ(stream({"\xF0", "\x9F", "\x98", "\x80"}), (Pieces{"", "", "", "\xF0\x9F\x98\x80", ""}));
  EXPECT_EQ(stream({"\xE2\x82"}), (Pieces{"", "\xE2\x82"}));
}

TEST(TextStream, DoesNotWaitForWhatCannotBecomeACharacter) {
  EXPECT_EQ(stream({"\x80", "\xFF", "\xC0", "\xF5"}), (Pieces{"\x80", "\xFF", "\xC0", "\xF5", ""}));
  EXPECT_EQ(stream({"\xE0\x80"}), (Pieces{"\xE0\x80", ""})) << "overlong";
  EXPECT_EQ(stream({"\xED\xA0"}), (Pieces{"\xED\xA0", ""})) << "a surrogate";
  EXPECT_EQ(stream({"\xF4\x90"}), (Pieces{"\xF4\x90", ""})) << "beyond U+10FFFF";
  EXPECT_EQ(stream({"\xF0\x8F"}), (Pieces{"\xF0\x8F", ""})) << "overlong";
  EXPECT_EQ(stream({"\xC3", "a"}), (Pieces{"",
                                           "\xC3"
                                           "a",
                                           ""}));
}

TEST(TextStream, EndsBeforeAStopString) {
  TextStream text({"END"});
  EXPECT_EQ(text.feed("one E"), "one ");
  EXPECT_EQ(text.feed("N"), "");
  EXPECT_FALSE(text.stopped());
  EXPECT_EQ(text.feed("D two"), "");
  EXPECT_TRUE(text.stopped());
  EXPECT_EQ(text.feed("three"), "");
  EXPECT_EQ(text.finish(), "");
  EXPECT_EQ(text.released_bytes(), 4);
}

TEST(TextStream, ReleasesWhatOnlyLookedLikeAStopString) {
  EXPECT_EQ(stream({"xE", "N", "E", "q"}, {"END"}), (Pieces{"x", "", "EN", "Eq", ""}));
  EXPECT_EQ(stream({"EN"}, {"END"}), (Pieces{"", "EN"}));
}

TEST(TextStream, FindsAStopStringThatBeginsWithinAnotherBeginning) {
  EXPECT_EQ(stream({"a", "a", "a", "b"}, {"aab"}), (Pieces{"", "", "a", "", ""}));
}

TEST(TextStream, FindsStopStringsThatRepeatThemselves) {
  EXPECT_EQ(stream({"abababac!"}, {"ababac"}), (Pieces{"ab", ""}));
  EXPECT_EQ(stream({"aabaab", "aaab"}, {"aabaaab"}), (Pieces{"aab", "", ""}));
  EXPECT_EQ(stream({"aaaa"}, {"aaab", "aaa"}), (Pieces{"", ""}));
}

TEST(TextStream, TakesTheFirstStopStringThatIsComplete) {
  EXPECT_EQ(stream({"abcd"}, {"abcd", "bc"}), (Pieces{"a", ""}));
  EXPECT_EQ(stream({"xyz"}, {"yz", "z"}), (Pieces{"x", ""})) << "the longest of two";
}

TEST(TextStream, KeepsTheTextBeforeAStopStringOfSeveralBytesPerCharacter) {
  EXPECT_EQ(stream({"a\xE2\x82", "\xAC", "b"}, {"\xE2\x82\xAC"}), (Pieces{"a", "", "", ""}));
}

TEST(TextStream, GivesTheSameTextHoweverItIsCut) {
  std::mt19937_64 random(5);
  const auto below = [&](size_t bound) { return static_cast<size_t>(random() % bound); };
  const std::vector<std::string> parts = {"a",    "b",   "ab", "\xC3\xA9", "\xE2\x82\xAC",
                                          "\xFF", "\x82"};
  size_t stopped = 0;
  for (int repeat = 0; repeat < 2000; ++repeat) {
    std::string text;
    for (size_t i = below(12); i > 0; --i) {
      text += parts[below(parts.size())];
    }
    std::vector<std::string> stops;
    for (size_t i = below(3); i > 0; --i) {
      stops.push_back(parts[below(parts.size())] + parts[below(parts.size())]);
    }
    TextStream whole(stops);
    std::string expected = whole.feed(text);
    expected += whole.finish();
    TextStream pieces(stops);
    std::string given;
    for (size_t at = 0; at < text.size();) {
      const size_t length = 1 + below(3);
      given += pieces.feed(text.substr(at, length));
      EXPECT_EQ(unfinished_utf8_bytes(given), pieces.stopped() ? unfinished_utf8_bytes(given) : 0U);
      at += length;
    }
    given += pieces.finish();
    EXPECT_EQ(given, expected);
    EXPECT_EQ(pieces.released_bytes(), static_cast<int64_t>(expected.size()));
    EXPECT_EQ(pieces.stopped(), whole.stopped());
    EXPECT_TRUE(text.starts_with(expected));
    stopped += whole.stopped() ? 1 : 0;
  }
  EXPECT_GT(stopped, 100U);
}

TEST(IsUtf8, KnowsWholeCharactersFromOtherBytes) {
  for (const char* text :
       {"", "abc", "a\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xED\x9F\xBF"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
  for (const char* text : {"\x80", "\xC3", "a\xC3z", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80",
                           "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x82", "\xFF"}) {
    EXPECT_FALSE(is_utf8(text)) << text;
  }
}

TEST(TextStream, RefusesAnEmptyStopString) {
  EXPECT_EQ(error_text([] { TextStream({"a", ""}); }), "stop: a stop string is empty");
}

}  // namespace
}  // namespace ebt
