#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "ebt/core/unicode.h"
#include "ebt/report/chart.h"
#include "ebt/report/colors.h"
#include "ebt/report/energy_text.h"
#include "ebt/report/figure.h"
#include "ebt/report/markup.h"
#include "ebt/report/text_width.h"

namespace ebt {
namespace {

constexpr double kFigureWidth = 900;
constexpr double kFigureHeight = 380;
constexpr double kTextLeft = 440;
constexpr double kTextTop = 72;
constexpr double kCellWidth = 9;
constexpr double kCellHeight = 21;
constexpr int kColumns = 50;
constexpr size_t kRows = 13;

// Whether a glyph can stand for itself in a label.
bool is_visible(const EnergyGlyph& glyph) {
  const bool blank = std::all_of(glyph.text.begin(), glyph.text.end(),
                                 [](char c) { return static_cast<unsigned char>(c) <= ' '; });
  return !blank && glyph.text.find("\uFFFD") == std::string::npos &&
         character_cells(first_character(glyph.text)) > 0;
}

std::string energy_box(int level, double x, double y, double width, double height) {
  return fmt::format(R"(<rect class="e{}" x="{}" y="{}" width="{}" height="{}" fill="{}"/>)", level,
                     x, y, width, height, kEnergyColors.at(static_cast<size_t>(level)).light);
}

// The dark colours of what is not in every figure.
std::string dark_style() {
  std::string rules = fmt::format(".figure .cell{{fill:{}}}.figure .prompt{{fill:{}}}",
                                  kFigureInk.dark, kFigureQuiet.dark);
  for (size_t level = 0; level < kEnergyColors.size(); ++level) {
    rules += fmt::format(".figure .e{}{{fill:{}}}", level, kEnergyColors[level].dark);
  }
  return "@media (prefers-color-scheme:dark){" + rules + "}\n";
}

ChartSeries energy_series(const std::string& label, const std::vector<double>& energy, int color,
                          bool faint) {
  ChartSeries series{label, {}, color, faint, true};
  for (size_t step = 0; step < energy.size(); ++step) {
    series.points.emplace_back(static_cast<double>(step), energy[step]);
  }
  return series;
}

// A character of the figure's text, with the marks that join it.
struct Cell {
  std::string text;
  int cells = 1;                       // its width
  const EnergyGlyph* glyph = nullptr;  // none: of the prompt

  bool is_line_end() const { return text == "\n"; }
  bool ends_word() const { return text == " " || text == "\t" || is_line_end(); }
};

void append_cells(const std::string& text, const EnergyGlyph* glyph, std::vector<Cell>& cells) {
  constexpr char32_t kJoiner = 0x200D;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view character = rest.substr(0, first_character_bytes(rest));
    const int width = character_cells(first_character(character));
    const bool blank = character == "\n" || character == "\t";
    const bool joins =
        !cells.empty() && !blank && (width == 0 || last_character(cells.back().text) == kJoiner);
    if (joins) {
      cells.back().text += character;
    } else {
      cells.push_back({std::string(character), std::max(width, 1), glyph});
    }
    rest.remove_prefix(character.size());
  }
}

std::string draw(const Cell& cell, const EnergyScale& scale, int row, int column) {
  const double x = kTextLeft + kCellWidth * column;
  const double y = kTextTop + kCellHeight * row;
  const double width = kCellWidth * cell.cells;
  const Color& ink = cell.glyph != nullptr ? kFigureInk : kFigureQuiet;
  std::string text = fmt::format(R"(<text class="cell{}" x="{}" y="{}" fill="{}">{}</text>)",
                                 cell.glyph != nullptr ? "" : " prompt", x + width / 2, y + 14,
                                 ink.light, escape_markup(cell.text));
  if (cell.glyph == nullptr) {
    return text;
  }
  // A hair wider than the cell, so that no seam shows between neighbours.
  return energy_box(scale.level(*cell.glyph), x, y, width + 0.3, kCellHeight - 2) + text;
}

using Row = std::vector<const Cell*>;

// The cells in rows, broken between words where possible, until the figure is full.
std::vector<Row> rows_of(const std::vector<Cell>& cells) {
  std::vector<Row> rows(1);
  int column = 0;
  for (size_t i = 0; i < cells.size(); ++i) {
    const bool starts_word = i == 0 || cells[i - 1].ends_word();
    int word = 0;  // columns to its end
    for (size_t end = i; end < cells.size() && !cells[end].ends_word() && word <= kColumns; ++end) {
      word += cells[end].cells;
    }
    const bool breaks_word = column + word > kColumns && word <= kColumns;
    if (cells[i].is_line_end() || column + cells[i].cells > kColumns ||
        (starts_word && breaks_word)) {
      if (rows.size() == kRows) {
        break;
      }
      column = 0;
      rows.emplace_back();
    }
    if (!cells[i].is_line_end() && !(column == 0 && cells[i].ends_word())) {
      rows.back().push_back(&cells[i]);
      column += cells[i].cells;
    }
  }
  return rows;
}

bool reads_from_right(const Cell* cell) {
  const auto character = static_cast<utf8proc_int32_t>(first_character(cell->text));
  const auto direction = utf8proc_get_property(character)->bidi_class;
  return direction == UTF8PROC_BIDI_CLASS_R || direction == UTF8PROC_BIDI_CLASS_AL;
}

// Letters and digits of the other direction; blanks and punctuation go with what is around them.
bool reads_from_left(const Cell* cell) {
  return !reads_from_right(cell) && is_word_character(first_character(cell->text));
}

// Puts every run of characters that read from the right into the order in which they stand.
void turn_runs(Row& row) {
  for (auto begin = row.begin(); begin != row.end();) {
    begin = std::find_if(begin, row.end(), reads_from_right);
    auto end = std::find_if(begin, row.end(), reads_from_left);
    const auto next = end;
    while (end != begin && !reads_from_right(*(end - 1))) {
      --end;
    }
    std::reverse(begin, end);
    begin = next;
  }
}

std::string paragraph(const std::vector<Cell>& cells, const EnergyScale& scale) {
  std::string svg = fmt::format(R"(<g font-family="{}" font-size="14.5" text-anchor="middle">)",
                                kMonospaceFamily);
  std::vector<Row> rows = rows_of(cells);
  for (size_t row = 0; row < rows.size(); ++row) {
    turn_runs(rows[row]);
    int column = 0;
    for (const Cell* cell : rows[row]) {
      svg += draw(*cell, scale, static_cast<int>(row), column);
      column += cell->cells;
    }
  }
  return svg + "</g>";
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
  std::erase_if(glyphs, [](const EnergyGlyph& glyph) { return !is_visible(glyph); });
  std::stable_sort(glyphs.begin(), glyphs.end(), [](const EnergyGlyph& a, const EnergyGlyph& b) {
    return a.energy.back() < b.energy.back();
  });
  if (glyphs.size() >= 3) {
    constexpr double kNameSize = 13;
    constexpr double kNameWidth = 80;
    const auto add = [&](size_t index, const char* word, int color) {
      const std::string name = shortened(glyphs[index].text, kNameSize, kNameWidth);
      series.push_back(energy_series(fmt::format("\u201C{}\u201D {}", name, word),
                                     glyphs[index].energy, color, true));
    };
    add(glyphs.size() - 1 - glyphs.size() / 50, "high", 1);
    add(glyphs.size() / 2, "middle", 4);
    add(glyphs.size() / 50, "low", 2);
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
  std::string svg = open_figure(
      kFigureWidth, kFigureHeight,
      "The energy of generated text: over thinking steps, and token by token", dark_style());
  constexpr double kChartWidth = 420;
  svg += figure_head(24, 34, kChartWidth - 12, "Energy, thinking step by thinking step");
  svg += figure_note(24, 56, kChartWidth - 12, "the mean of the text, and three of its tokens");
  svg += placed_chart(12, 64, kChartWidth, 302, energy_chart(tokens));
  constexpr double kTextWidth = kFigureWidth - kTextLeft;
  svg += figure_head(kTextLeft, 34, kTextWidth, "Energy after the last step, token by token");
  const std::string low = "low " + scale.low_label();
  svg += figure_note(kTextLeft, 56, kTextWidth, low);
  double x = kTextLeft + text_width(low, 12.5) + 8;
  for (int level = 0; level < EnergyScale::kLevels; ++level, x += 16) {
    svg += energy_box(level, x, 45, 16.3, 13);
  }
  svg +=
      figure_note(x + 8, 56, kFigureWidth - x - 8, scale.high_label() + " high (grey: the prompt)");

  std::vector<Cell> cells;
  append_cells(shown_text(prompt), nullptr, cells);
  for (const EnergyGlyph& glyph : glyphs) {
    append_cells(glyph.text, &glyph, cells);
  }
  return svg + paragraph(cells, scale) + "</svg>\n";
}

}  // namespace ebt
