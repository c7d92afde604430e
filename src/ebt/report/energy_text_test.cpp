#include "ebt/report/energy_text.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ebt {
namespace {

std::vector<TokenEnergy> tokens_of(const std::string& text, double first_energy) {
  std::vector<TokenEnergy> tokens;
  for (const char byte : text) {
    const double energy = first_energy + static_cast<double>(tokens.size());
    tokens.push_back({std::string(1, byte), {energy + 1, energy}});
  }
  return tokens;
}

TEST(EnergyText, JoinsTheBytesOfACharacterAndAveragesTheirEnergies) {
  const auto glyphs = energy_glyphs(tokens_of("a\u00E9b", 0));
  ASSERT_EQ(glyphs.size(), 3U);
  EXPECT_EQ(glyphs[1].text, "\u00E9");
  EXPECT_EQ(glyphs[1].energy, (std::vector<double>{2.5, 1.5}));
}

TEST(EnergyText, ShowsBytesThatAreNoCharacterAsReplacements) {
  const auto glyphs =
      energy_glyphs(tokens_of("\xC3"
                              "a\xFF\x01",
                              0));
  ASSERT_EQ(glyphs.size(), 4U);
  EXPECT_EQ(glyphs[0].text, "\uFFFD");
  EXPECT_EQ(glyphs[1].text, "a");
  EXPECT_EQ(glyphs[2].text, "\uFFFD");
  EXPECT_EQ(glyphs[3].text, "\uFFFD");
}

TEST(EnergyText, ShowsTokensOfSeveralCharacters) {
  const auto glyphs = energy_glyphs({{" the", {2, 1}},
                                     {"caf\xC3", {2, 1}},
                                     {"\xA9s", {4, 3}},
                                     {"\u65E5\u672C", {5, 4}},
                                     {"\xF0\x9F", {1, 1}},
                                     {"\x98", {2, 2}},
                                     {"\x80!", {3, 3}}});
  ASSERT_EQ(glyphs.size(), 4U);
  EXPECT_EQ(glyphs[0].text, " the");
  EXPECT_EQ(glyphs[1].text, "caf\u00E9s");
  EXPECT_EQ(glyphs[1].energy, (std::vector<double>{3, 2})) << "the mean of its two tokens";
  EXPECT_EQ(glyphs[2].text, "\u65E5\u672C");
  EXPECT_EQ(glyphs[3].text, "\U0001F600!");
  EXPECT_EQ(glyphs[3].energy, (std::vector<double>{2, 2}));
}

TEST(EnergyText, AddsUpToTheTextThatWasWritten) {
  // Cut into tokens of every length, within characters too.
  const std::string text = "na\u00EFve \u65E5\u672C\u8A9E \U0001F600 \u0915\u094D\u0937";
  for (size_t length = 1; length < 8; ++length) {
    std::vector<TokenEnergy> tokens;
    for (size_t at = 0; at < text.size(); at += length) {
      tokens.push_back({text.substr(at, length), {1}});
    }
    std::string joined;
    for (const EnergyGlyph& glyph : energy_glyphs(tokens)) {
      joined += glyph.text;
    }
    EXPECT_EQ(joined, text) << length;
  }
}

TEST(EnergyText, MarksBlanksWithoutWritingThem) {
  const auto glyphs = energy_glyphs({{"if (a)\n", {1}}, {"    ", {1}}, {"\treturn", {1}}});
  const std::string html = energy_spans(glyphs, EnergyScale(glyphs));
  std::string text;  // without markup
  for (size_t at = 0; at < html.size(); ++at) {
    if (html[at] == '<') {
      at = html.find('>', at);
    } else {
      text += html[at];
    }
  }
  EXPECT_EQ(text, "if (a)\n    \treturn");
  for (const char* mark : {"<i class=\"line-end\">", "<i class=\"space\">", "<i class=\"tab\">"}) {
    EXPECT_NE(html.find(mark), std::string::npos) << mark;
  }
  EXPECT_NE(energy_style().find("white-space:break-spaces"), std::string::npos)
      << "or a run of spaces leaves its card";
}

TEST(EnergyText, NamesWhatCannotBeShown) {
  const auto html = [](const std::string& bytes) {
    const auto glyphs = energy_glyphs({{bytes, {1}}});
    return energy_spans(glyphs, EnergyScale(glyphs));
  };
  EXPECT_NE(html("\xED\xA0\x80").find("(bytes ED A0 80)"), std::string::npos);
  EXPECT_NE(html("\u0301").find("\u25CC\u0301"), std::string::npos) << "a mark stands on a circle";
  EXPECT_NE(html("a b").find("a\u2423b"), std::string::npos);
  EXPECT_EQ(html("\u202Egnp").find("\u202E"), std::string::npos) << "it would turn what follows";
  EXPECT_EQ(html("</script><script>").find("<script"), std::string::npos);
  EXPECT_NE(html("").find("end of document"), std::string::npos);
}

TEST(EnergyText, SpeaksOfEnergyAndNotOfDoubt) {
  const auto tokens = tokens_of("abcdefgh", -3);
  const auto glyphs = energy_glyphs(tokens);
  const EnergyScale scale(glyphs);
  const std::string all = energy_legend(scale) + energy_spans(glyphs, scale) +
                          energy_chart(tokens) + thinking_figure("p", tokens);
  for (const char* claim : {"sure", "certain", "confiden", "doubt"}) {
    EXPECT_EQ(all.find(claim), std::string::npos) << claim;
  }
  EXPECT_NE(energy_legend(scale).find("low energy"), std::string::npos);
  EXPECT_NE(energy_legend(scale).find("high energy"), std::string::npos);
}

TEST(EnergyText, ColoursFromTheLowestToTheHighestEnergy) {
  const auto glyphs = energy_glyphs(tokens_of("abcdefghijklmnop", -8));
  const EnergyScale scale(glyphs);
  EXPECT_EQ(scale.level(glyphs.front()), 0);
  EXPECT_EQ(scale.level(glyphs.back()), EnergyScale::kLevels - 1);
  for (size_t i = 1; i < glyphs.size(); ++i) {
    EXPECT_GE(scale.level(glyphs[i]), scale.level(glyphs[i - 1]));
  }
}

TEST(EnergyText, NeedsNoEnergies) {
  const auto glyphs = energy_glyphs({{"a", {}}, {"", {}}});
  EXPECT_EQ(EnergyScale(glyphs).level(glyphs[0]), 0);
  EXPECT_EQ(energy_chart({{"a", {}}}), "");
}

TEST(EnergyText, GivesEveryCharacterATooltip) {
  const auto glyphs = energy_glyphs(tokens_of("<\n", 1));
  const std::string html = energy_spans(glyphs, EnergyScale(glyphs));
  EXPECT_NE(html.find("\u201C&lt;\u201D: energy 2 \u2192 1"), std::string::npos);
  EXPECT_NE(html.find("line break: energy 3 \u2192 2"), std::string::npos);
}

TEST(ThinkingFigure, GivesEveryCharacterItsPlace) {
  const std::string svg =
      thinking_figure("", {{"ab", {1}}, {"\u65E5", {2}}, {"e", {3}}, {"\u0301", {4}}, {"c", {5}}});
  // Cells are 9 wide and begin at 440; the wide character takes two, the accent none.
  for (const char* cell :
       {"x=\"444.5\" y=\"86\" fill=\"#1b2028\">a<", "x=\"453.5\" y=\"86\" fill=\"#1b2028\">b<",
        "x=\"467\" y=\"86\" fill=\"#1b2028\">\u65E5<",
        "x=\"480.5\" y=\"86\" fill=\"#1b2028\">e\u0301<",
        "x=\"489.5\" y=\"86\" fill=\"#1b2028\">c<"}) {
    EXPECT_NE(svg.find(cell), std::string::npos) << cell;
  }
}

TEST(ThinkingFigure, WritesFromTheRightWhatReadsFromThere) {
  const std::string svg =
      thinking_figure("", {{"a ", {1}}, {"\u05D0\u05D1", {2}}, {" \u05D2", {3}}, {" b", {4}}});
  std::vector<std::pair<double, std::string>> cells;
  for (size_t at = svg.find("<text class=\"cell"); at != std::string::npos;
       at = svg.find("<text class=\"cell", at + 1)) {
    const size_t text = svg.find('>', at) + 1;
    cells.emplace_back(std::stod(svg.substr(svg.find("x=\"", at) + 3)),
                       svg.substr(text, svg.find('<', text) - text));
  }
  std::sort(cells.begin(), cells.end());
  std::string line;
  for (const auto& [x, text] : cells) {
    line += text;
  }
  EXPECT_EQ(line, "a \u05D2 \u05D1\u05D0 b");
}

TEST(ThinkingFigure, FitsItsTextIntoTheFrame) {
  const std::string svg = thinking_figure("prompt ", tokens_of(std::string(5000, 'x'), 0));
  EXPECT_NE(svg.find("viewBox"), std::string::npos);
  EXPECT_LT(svg.size(), 200'000U);
}

}  // namespace
}  // namespace ebt
