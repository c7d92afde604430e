#include "ebt/report/energy_text.h"

#include <gtest/gtest.h>

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

TEST(ThinkingFigure, FitsItsTextIntoTheFrame) {
  const std::string svg = thinking_figure("prompt ", tokens_of(std::string(5000, 'x'), 0));
  EXPECT_NE(svg.find("viewBox"), std::string::npos);
  EXPECT_LT(svg.size(), 200'000U);
}

}  // namespace
}  // namespace ebt
