// Text whose characters are coloured by the energy the model gave them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ebt {

// One generated token: its bytes (none for a document separator), and its energy before every
// thinking step and after the last (none for a model without energy).
struct TokenEnergy {
  std::string bytes;
  std::vector<double> energy;
};

// What stands on the page for a token, or for several that only together are whole characters, with
// the mean of their energies.
struct EnergyGlyph {
  std::string text;  // shown_text() of its bytes, U+2043 for a separator
  std::vector<double> energy;
  std::string bytes;
};

// Joins tokens until they end with a character.
std::vector<EnergyGlyph> energy_glyphs(const std::vector<TokenEnergy>& tokens);

// Final energies mapped to levels of colour, from low to high. The ends are the 2nd and 98th
// percentile, so that one outlier does not wash out the rest.
class EnergyScale {
 public:
  static constexpr int kLevels = 8;

  explicit EnergyScale(const std::vector<EnergyGlyph>& glyphs);

  // The ends, rounded to a hundredth of what lies between them.
  std::string low_label() const;
  std::string high_label() const;
  // 0 .. kLevels - 1; 0 without energies.
  int level(const EnergyGlyph& glyph) const;

 private:
  double low_ = 0;
  double high_ = 0;
};

// For the inside of an HTML <pre> of class "sample": any text, and glyphs, each with its colour and
// its tooltip. Line breaks, tabs and runs of spaces get marks, which are no part of the text.
std::string marked_text(std::string_view text);
std::string energy_spans(const std::vector<EnergyGlyph>& glyphs, const EnergyScale& scale);
// A row of swatches between the scale's two ends, as HTML.
std::string energy_legend(const EnergyScale& scale);
// The CSS rules of samples and legends, light and dark.
std::string energy_style();

// A figure for a README: energy over thinking steps, beside the text that was generated after
// `prompt`. A standalone SVG, light and dark.
std::string thinking_figure(const std::string& prompt, const std::vector<TokenEnergy>& tokens);

// The chart in it: the mean over the glyphs, and three of them, of low, middle and high final
// energy. Empty when the tokens have no energies.
std::string energy_chart(const std::vector<TokenEnergy>& tokens);

}  // namespace ebt
