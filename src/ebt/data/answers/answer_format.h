// The conversion between the characters of puzzles, questions and texts and rows of tokens.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ebt/core/enum_names.h"

namespace ebt {

inline constexpr int64_t kMostRowTokens = 65'536;

enum class AnswerLayout {
  kAuto,
  kCells,   // a puzzle, cell by cell as its solution
  kAnswer,  // a question, and then an answer, all of which is asked for
  kLines,   // a line of text, with gaps
  kText,    // a window of text, with gaps
};
const EnumNames<AnswerLayout>& enum_names(AnswerLayout);

// What a model keeps of the data it learned from: enough to read more of them, and to ask. A
// character is a byte.
struct AnswerFormat {
  AnswerLayout layout = AnswerLayout::kCells;
  std::string characters;       // of the vocabulary, in the order of their tokens
  std::string unknown;          // characters that stand for what is asked for
  int64_t length = 0;           // N, tokens of a row
  int64_t question_length = 0;  // of them the question's; kAnswer only
  bool padded = false;          // one token more, behind the characters, fills rows up
  std::string grid;             // "RxC" of the row's cells; empty: they lie in a line
  std::string boxes;            // "RxC" of the boxes of that grid; empty: it has none

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("layout", layout, "cells, answer, lines or text");
    visit("characters", characters, "characters in the order of their tokens");
    visit("unknown", unknown, "characters that stand for what is asked for");
    visit("length", length, "tokens of a row");
    visit("question-length", question_length, "tokens of the question in a row");
    visit("padded", padded, "whether a token stands for no character");
    visit("grid", grid, "rows x columns of the cells of a row");
    visit("boxes", boxes, "rows x columns of the boxes of the grid");
  }

  bool operator==(const AnswerFormat&) const = default;
  // V, the padding among them.
  int64_t vocabulary_size() const {
    return static_cast<int64_t>(characters.size()) + (padded ? 1 : 0);
  }
  // The token that fills rows up; where `padded`.
  int32_t padding() const { return static_cast<int32_t>(characters.size()); }
  // Throws Error naming what is impossible: formats come from files.
  void check() const;
};

// A place of every token of a row along an axis of its own, for learned positions.
struct RowAxis {
  std::string name;  // "row", "column" or "box"
  int64_t size = 0;
  std::vector<int32_t> coordinates;  // (N), each below size
};
// Row and column of every cell of a grid and, with boxes, its box; nothing without a grid. Throws
// Error when the grid has not `length` cells, boxes do not tile it, or there are boxes and no grid.
std::vector<RowAxis> grid_axes(const std::string& grid, const std::string& boxes, int64_t length);

// Encodes and decodes rows of a format, which must be possible (AnswerFormat::check).
class AnswerEncoder {
 public:
  explicit AnswerEncoder(const AnswerFormat& format);

  const AnswerFormat& format() const { return format_; }
  bool is_unknown(char character) const {
    return format_.unknown.find(character) != std::string::npos;
  }
  // The row of a question with its answer, all of the characters known that are not asked for; gaps
  // are not drawn yet: kLines and kText have no question, and all of their answer is known. Writes
  // N tokens and N marks. Throws Error, in a sentence that begins with `what`, when a character is
  // not in the vocabulary, there are too many, or a cell is neither unknown nor the solution's.
  void encode(const std::string& what, std::string_view question, std::string_view answer,
              std::span<int32_t> tokens, std::span<uint8_t> known) const;
  // The row of a question whose answer nobody knows yet: tokens that are asked for are 0.
  void encode_question(const std::string& what, std::string_view question,
                       std::span<int32_t> tokens, std::span<uint8_t> known) const;
  // The characters of a row, or of its answer where it follows a question; without padding.
  std::string decode(std::span<const int32_t> row) const;

 private:
  int32_t token_of(const std::string& what, char character) const;
  // At `first`, filled up with padding to `length` tokens.
  void put(const std::string& what, std::string_view text, int64_t first, int64_t length,
           std::span<int32_t> tokens) const;

  AnswerFormat format_;
  std::array<int32_t, 256> tokens_{};  // of every character; -1: none
};

}  // namespace ebt
