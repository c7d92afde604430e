#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstddef>

#include "ebt/report/chart.h"
#include "ebt/report/energy_text.h"
#include "ebt/report/markup.h"

namespace ebt {
namespace {

constexpr double kFigureWidth = 900;
constexpr double kFigureHeight = 380;
constexpr double kTextLeft = 440;
constexpr double kTextTop = 72;
constexpr double kCellWidth = 9;
constexpr double kCellHeight = 21;
constexpr int kColumns = 50;
constexpr int kRows = 13;

bool visible_character(const EnergyGlyph& glyph) {
  return glyph.text.size() == 1 && std::isgraph(static_cast<unsigned char>(glyph.text[0])) != 0;
}

ChartSeries energy_series(const std::string& label, const std::vector<double>& energy, int color,
                          bool faint) {
  ChartSeries series{label, {}, color, faint, true};
  for (size_t step = 0; step < energy.size(); ++step) {
    series.points.emplace_back(static_cast<double>(step), energy[step]);
  }
  return series;
}

// A character of the figure's text.
struct Cell {
  EnergyGlyph glyph;
  bool of_prompt = false;

  bool ends_word() const { return glyph.text == " " || glyph.text == "\n"; }
};

std::string draw(const Cell& cell, const EnergyScale& scale, int row, int column) {
  const double x = kTextLeft + kCellWidth * column;
  const double y = kTextTop + kCellHeight * row;
  std::string text = fmt::format(R"(<text class="cell{}" x="{}" y="{}">{}</text>)",
                                 cell.of_prompt ? " prompt" : "", x + kCellWidth / 2, y + 14,
                                 escape_markup(cell.glyph.text));
  if (cell.of_prompt) {
    return text;
  }
  // A hair wider than the cell, so that no seam shows between neighbours.
  return fmt::format(R"(<rect class="e{}" x="{}" y="{}" width="{}" height="{}"/>)",
                     scale.level(cell.glyph), x, y, kCellWidth + 0.3, kCellHeight - 2) +
         text;
}

// The cells as a paragraph, broken between words where possible, until the figure is full.
std::string paragraph(const std::vector<Cell>& cells, const EnergyScale& scale) {
  std::string svg;
  int row = 0;
  int column = 0;
  for (size_t i = 0; i < cells.size() && row < kRows; ++i) {
    const bool starts_word = i == 0 || cells[i - 1].ends_word();
    const auto word_end = std::find_if(cells.begin() + static_cast<std::ptrdiff_t>(i), cells.end(),
                                       [](const Cell& cell) { return cell.ends_word(); });
    const auto word = word_end - cells.begin() - static_cast<std::ptrdiff_t>(i);
    const bool overflows = column + word > kColumns && word <= kColumns;
    if (cells[i].glyph.text == "\n" || column == kColumns || (starts_word && overflows)) {
      column = 0;
      ++row;
    }
    if (row < kRows && cells[i].glyph.text != "\n" && !(column == 0 && cells[i].ends_word())) {
      svg += draw(cells[i], scale, row, column);
      ++column;
    }
  }
  return svg;
}

}  // namespace

std::string energy_chart(const std::vector<TokenEnergy>& tokens) {
  std::vector<EnergyGlyph> glyphs = energy_glyphs(tokens);
  std::erase_if(glyphs, [](const EnergyGlyph& glyph) { return glyph.energy.empty(); });
  if (glyphs.empty()) {
    return "";
  }
  std::vector<double> mean(glyphs[0].energy.size());
  for (const EnergyGlyph& glyph : glyphs) {
    for (size_t step = 0; step < std::min(mean.size(), glyph.energy.size()); ++step) {
      mean[step] += glyph.energy[step] / static_cast<double>(glyphs.size());
    }
  }
  std::vector<ChartSeries> series = {energy_series("mean", mean, 0, false)};
  std::erase_if(glyphs, [](const EnergyGlyph& glyph) { return !visible_character(glyph); });
  std::stable_sort(glyphs.begin(), glyphs.end(), [](const EnergyGlyph& a, const EnergyGlyph& b) {
    return a.energy.back() < b.energy.back();
  });
  if (glyphs.size() >= 3) {
    const auto add = [&](size_t index, const char* word, int color) {
      series.push_back(energy_series(fmt::format("\u201C{}\u201D {}", glyphs[index].text, word),
                                     glyphs[index].energy, color, true));
    };
    add(glyphs.size() - 1 - glyphs.size() / 50, "unsure", 1);
    add(glyphs.size() / 2, "middling", 4);
    add(glyphs.size() / 50, "sure", 2);
  }
  ChartOptions options;
  options.title = "Energy of generated tokens after every thinking step";
  options.x_label = "thinking steps";
  options.y_label = "energy";
  return line_chart(series, options);
}

std::string thinking_figure(const std::string& prompt, const std::vector<TokenEnergy>& tokens) {
  const std::vector<EnergyGlyph> glyphs = energy_glyphs(tokens);
  const EnergyScale scale(glyphs);
  std::string svg = fmt::format(
      R"(<svg class="figure" xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {:.0f} {:.0f}">)",
      kFigureWidth, kFigureHeight);
  svg +=
      "<title>The energy of generated text: over thinking steps, and character by "
      "character</title>";
  svg += fmt::format(
      "<style>{}{}{}"
      ".figure .cell{{font:14.5px ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans Mono\","
      "monospace;text-anchor:middle;fill:var(--ink)}}\n"
      ".figure .prompt{{fill:var(--quiet)}}\n</style>",
      chart_style(), figure_style(), energy_style(".figure"));
  svg += fmt::format(R"(<rect class="ground" rx="10" width="{:.0f}" height="{:.0f}"/>)",
                     kFigureWidth, kFigureHeight);
  svg += R"(<text class="head" x="24" y="34">Energy, thinking step by thinking step</text>)"
         R"(<text class="note" x="24" y="56">the mean of all characters, and three of them</text>)";
  svg += R"(<svg x="12" y="64" width="420" height="302">)" + energy_chart(tokens) + "</svg>";
  svg += fmt::format(
      R"(<text class="head" x="{0}" y="34">Energy that is left, character by character</text>)"
      R"(<text class="note" x="{0}" y="56">energy {1}</text>)",
      kTextLeft, scale.low_label());
  double x = kTextLeft + 88;
  for (int level = 0; level < EnergyScale::kLevels; ++level, x += 16) {
    svg += fmt::format(R"(<rect class="e{}" x="{}" y="45" width="16.3" height="13"/>)", level, x);
  }
  svg +=
      fmt::format(R"(<text class="note" x="{}" y="56">{} (high: unsure; grey: the prompt)</text>)",
                  x + 8, scale.high_label());

  std::vector<TokenEnergy> prompt_tokens;
  for (const char byte : prompt) {
    prompt_tokens.push_back({std::string(1, byte), {}});
  }
  std::vector<Cell> cells;
  for (EnergyGlyph& glyph : energy_glyphs(prompt_tokens)) {
    cells.push_back({std::move(glyph), true});
  }
  for (const EnergyGlyph& glyph : glyphs) {
    cells.push_back({glyph, false});
  }
  return svg + paragraph(cells, scale) + "</svg>\n";
}

}  // namespace ebt
