#include "board_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "ebt/data/notation.h"
#include "output.h"

namespace ebt {
namespace {

constexpr const char* kReset = "\x1b[0m";
// Of the 256 colours that terminals have, from unsure to sure: they differ in hue and in lightness,
// and are read on dark and on light ground.
constexpr std::array kSureness = {208, 172, 137, 102, 67, 32};

std::string colour(float sureness) {
  const auto levels = static_cast<float>(kSureness.size());
  const auto level = static_cast<size_t>(std::clamp(sureness * levels, 0.0F, levels - 1));
  return fmt::format("\x1b[38;5;{}m", kSureness[level]);
}

}  // namespace

BoardView::BoardView(const AnswerFormat& format, std::vector<uint8_t> known)
    : format_(format), known_(std::move(known)), grid_(!format.grid.empty()) {
  constexpr int64_t kLineWidth = 64;
  const Extents grid = grid_ ? parse_extents("--grid", format.grid)
                             : Extents{0, std::min(format.length, kLineWidth)};
  const Extents boxes = format.boxes.empty() ? Extents{format.length, format.length + 1}
                                             : parse_extents("--boxes", format.boxes);
  columns_ = grid.columns;
  box_rows_ = boxes.rows;
  box_columns_ = boxes.columns;
}

std::string BoardView::cell(int64_t index, std::span<const int32_t> tokens,
                            std::span<const float> sureness) const {
  const auto at = static_cast<size_t>(index);
  const int32_t token = tokens[at];
  char character = ' ';  // of padding
  if (token >= 0 && token < static_cast<int32_t>(format_.characters.size())) {
    character = format_.characters[static_cast<size_t>(token)];
    // Others would end the line, or are a part of a character.
    character = character >= ' ' && character <= '~' ? character : '?';
  }
  return fmt::format("{}{}{}{}", grid_ ? " " : "",
                     known_[at] != 0 ? "\x1b[1m" : colour(sureness[at]), character, kReset);
}

std::string BoardView::rule() const {
  std::string line;
  for (int64_t column = 0; column < columns_; ++column) {
    if (column > 0 && column % box_columns_ == 0) {
      line += "─┼";
    }
    line += "──";
  }
  return line + "─";
}

std::vector<std::string> BoardView::lines(std::span<const int32_t> tokens,
                                          std::span<const float> sureness,
                                          const std::vector<std::string>& notes) const {
  std::vector<std::string> lines;
  for (int64_t first = 0; first < format_.length; first += columns_) {
    const int64_t row = first / columns_;
    if (row > 0 && row % box_rows_ == 0) {
      lines.push_back(rule());
    }
    std::string line;
    const int64_t end = std::min(first + columns_, format_.length);
    for (int64_t i = first; i < end; ++i) {
      if (i > first && (i - first) % box_columns_ == 0) {
        line += " │";
      }
      line += cell(i, tokens, sureness);
    }
    lines.push_back(line + std::string(static_cast<size_t>(first + columns_ - end), ' ') +
                    (grid_ ? " " : ""));
  }
  const size_t width = static_cast<size_t>(columns_ + (grid_ ? columns_ + 1 : 0) +
                                           2 * ((columns_ - 1) / box_columns_));
  for (size_t i = 0; i < notes.size(); ++i) {
    if (i == lines.size()) {
      lines.emplace_back(width, ' ');
    }
    lines[i] += "   " + notes[i];
  }
  return lines;
}

void BoardView::draw(std::span<const int32_t> tokens, std::span<const float> sureness,
                     const std::vector<std::string>& notes) {
  if (drawn_lines_ > 0) {
    fmt::print("\x1b[{}A", drawn_lines_);
  }
  const std::vector<std::string> all = lines(tokens, sureness, notes);
  for (const std::string& line : all) {
    fmt::print("{}\x1b[K\n", line);
  }
  drawn_lines_ = all.size();
  flush_output();
}

}  // namespace ebt
