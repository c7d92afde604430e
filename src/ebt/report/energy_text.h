// Text whose characters are coloured by the energy the model gave them.
#pragma once

#include <string>
#include <vector>

namespace ebt {

// One generated token: its bytes (none for a document separator), and its energy before every
// thinking step and after the last (none for a model without energy).
struct TokenEnergy {
  std::string bytes;
  std::vector<double> energy;
};

// One character on the page, with the mean energies of the bytes that make it up.
struct EnergyGlyph {
  std::string text;  // UTF-8; U+FFFD for bytes that are none, U+2043 for a separator
  std::vector<double> energy;
};

// Joins byte tokens into characters.
std::vector<EnergyGlyph> energy_glyphs(const std::vector<TokenEnergy>& tokens);

// Final energies mapped to levels of colour, from sure to unsure. The ends are the 2nd and 98th
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

// The glyphs as <span>s, neighbours of equal level and energies not merged: each has its own
// tooltip.
std::string energy_spans(const std::vector<EnergyGlyph>& glyphs, const EnergyScale& scale);
// A row of swatches between the scale's two ends, as HTML.
std::string energy_legend(const EnergyScale& scale);
// The CSS rules of levels: the custom properties --e0.. under `selector`, light and dark.
std::string energy_style(const std::string& selector);

// A figure for a README: energy over thinking steps, beside the text that was generated after
// `prompt`. A standalone SVG, light and dark.
std::string thinking_figure(const std::string& prompt, const std::vector<TokenEnergy>& tokens);

// The chart in it: the mean over tokens, and a sure, a middling and an unsure token. Empty when the
// tokens have no energies.
std::string energy_chart(const std::vector<TokenEnergy>& tokens);

}  // namespace ebt
