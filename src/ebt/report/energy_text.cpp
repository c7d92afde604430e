#include "ebt/report/energy_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "ebt/report/chart.h"
#include "ebt/report/markup.h"

namespace ebt {
namespace {

constexpr const char* kReplacement = "\uFFFD";
constexpr const char* kSeparator = "\u2043";

// Bytes of the UTF-8 sequence that `lead` opens; 0 when it opens none.
size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) {
    return 1;
  }
  if (lead >= 0xC2 && lead <= 0xDF) {
    return 2;
  }
  if (lead >= 0xE0 && lead <= 0xEF) {
    return 3;
  }
  return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

// Tokens from `first` that make one character: 1 when the bytes there are not UTF-8.
size_t tokens_of_character(const std::vector<TokenEnergy>& tokens, size_t first) {
  if (tokens[first].bytes.size() != 1) {
    return 1;
  }
  const size_t length = sequence_length(static_cast<unsigned char>(tokens[first].bytes[0]));
  for (size_t i = 1; i < length; ++i) {
    if (first + i >= tokens.size() || tokens[first + i].bytes.size() != 1 ||
        (static_cast<unsigned char>(tokens[first + i].bytes[0]) & 0xC0U) != 0x80U) {
      return 1;
    }
  }
  return std::max<size_t>(length, 1);
}

std::string character_text(const std::string& bytes) {
  if (bytes.empty()) {
    return kSeparator;
  }
  const bool valid = sequence_length(static_cast<unsigned char>(bytes[0])) == bytes.size();
  const auto first = static_cast<unsigned char>(bytes[0]);
  const bool control = bytes.size() == 1 && first < 0x20 && first != '\n' && first != '\t';
  return valid && !control ? bytes : kReplacement;
}

// A glyph as a tooltip names it.
std::string glyph_name(const EnergyGlyph& glyph) {
  if (glyph.text == "\n") {
    return "line break";
  }
  if (glyph.text == " ") {
    return "space";
  }
  if (glyph.text == "\t") {
    return "tab";
  }
  if (glyph.text == kSeparator) {
    return "end of document";
  }
  return "\u201C" + escape_markup(glyph.text) + "\u201D";
}

std::string tooltip(const EnergyGlyph& glyph) {
  std::string text = glyph_name(glyph);
  for (size_t step = 0; step < glyph.energy.size(); ++step) {
    text += (step == 0 ? ": energy " : " \u2192 ") + chart_number(glyph.energy[step]);
  }
  return text;
}

std::string end_label(double end, double span) {
  if (span <= 0) {
    return chart_number(end, 3);
  }
  const double unit = std::pow(10.0, std::floor(std::log10(span)) - 1);
  return chart_number(std::round(end / unit) * unit + 0.0, 3);
}

}  // namespace

std::vector<EnergyGlyph> energy_glyphs(const std::vector<TokenEnergy>& tokens) {
  std::vector<EnergyGlyph> glyphs;
  for (size_t first = 0; first < tokens.size();) {
    const size_t count = tokens_of_character(tokens, first);
    std::string bytes;
    std::vector<double> energy(tokens[first].energy.size());
    for (size_t i = first; i < first + count; ++i) {
      bytes += tokens[i].bytes;
      for (size_t step = 0; step < std::min(energy.size(), tokens[i].energy.size()); ++step) {
        energy[step] += tokens[i].energy[step] / static_cast<double>(count);
      }
    }
    glyphs.push_back({character_text(bytes), std::move(energy)});
    first += count;
  }
  return glyphs;
}

EnergyScale::EnergyScale(const std::vector<EnergyGlyph>& glyphs) {
  std::vector<double> last;
  for (const EnergyGlyph& glyph : glyphs) {
    if (!glyph.energy.empty() && std::isfinite(glyph.energy.back())) {
      last.push_back(glyph.energy.back());
    }
  }
  if (last.empty()) {
    return;
  }
  std::sort(last.begin(), last.end());
  const auto percentile = [&](double share) {
    return last[static_cast<size_t>(std::lround(share * static_cast<double>(last.size() - 1)))];
  };
  low_ = percentile(0.02);
  high_ = percentile(0.98);
}

std::string EnergyScale::low_label() const { return end_label(low_, high_ - low_); }

std::string EnergyScale::high_label() const { return end_label(high_, high_ - low_); }

int EnergyScale::level(const EnergyGlyph& glyph) const {
  if (glyph.energy.empty() || !(high_ > low_) || !std::isfinite(glyph.energy.back())) {
    return 0;
  }
  const double share = (glyph.energy.back() - low_) / (high_ - low_);
  return static_cast<int>(std::clamp(share * kLevels, 0.0, kLevels - 1.0));
}

std::string energy_spans(const std::vector<EnergyGlyph>& glyphs, const EnergyScale& scale) {
  std::string html;
  for (const EnergyGlyph& glyph : glyphs) {
    // A line break has no width: a mark makes its colour visible.
    const std::string text =
        glyph.text == "\n" ? "\u21B5</span>\n" : escape_markup(glyph.text) + "</span>";
    html += fmt::format(R"(<span class="e{}{}" title="{}">{})", scale.level(glyph),
                        glyph.text == "\n" ? " mark" : "", tooltip(glyph), text);
  }
  return html;
}

std::string energy_legend(const EnergyScale& scale) {
  std::string html =
      fmt::format("<div class=\"legend\"><span>sure, energy {}</span>", scale.low_label());
  for (int level = 0; level < EnergyScale::kLevels; ++level) {
    html += fmt::format("<i class=\"e{}\"></i>", level);
  }
  return html + fmt::format("<span>{}, unsure</span></div>\n", scale.high_label());
}

// Both scales run from the page's own ground to a strong orange, with lightness falling (light) or
// rising (dark) all the way, so that they read without colour vision too; text stays above a
// contrast of 4.5 on every level.
std::string energy_style(const std::string& selector) {
  constexpr std::array<const char*, EnergyScale::kLevels> kLight = {
      "#ffffff", "#fff4df", "#fee6bd", "#fdd596", "#fbc06c", "#f6a747", "#ee8c2c", "#e2721b"};
  constexpr std::array<const char*, EnergyScale::kLevels> kDark = {
      "#171b22", "#2a2216", "#3d2a13", "#523310", "#683c0e", "#7f450d", "#984e0e", "#b05610"};
  std::string light;
  std::string dark;
  std::string rules;
  for (size_t level = 0; level < EnergyScale::kLevels; ++level) {
    light += fmt::format("--e{}:{};", level, kLight[level]);
    dark += fmt::format("--e{}:{};", level, kDark[level]);
    rules +=
        fmt::format(":is({0}) .e{1}{{background:var(--e{1});fill:var(--e{1})}}\n", selector, level);
  }
  return fmt::format("{0}{{{1}}}\n@media (prefers-color-scheme:dark){{{0}{{{2}}}}}\n{3}", selector,
                     light, dark, rules);
}

}  // namespace ebt
