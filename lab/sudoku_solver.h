// Sudoku: boards of N x N cells whose rows, columns and boxes hold every digit of 1..N once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lab/draws.h"

namespace ebt {

// A board is its cells row by row: digits, and '.' for holes.
class SudokuSolver {
 public:
  // N is 4, 6 or 9, with boxes of 2x2, 2x3 and 3x3 cells (rows x columns). Throws Error for others.
  explicit SudokuSolver(int64_t size);

  int64_t size() const { return size_; }

  // A board without holes. Every board can come up, not quite equally often.
  std::string draw_board(Draws& draws) const;
  // Whether exactly one board without holes agrees with `board`. Also false where it takes more
  // than `placements` of digits to find out, which is many times what puzzles take.
  bool has_one_solution(std::string_view board, int64_t placements = 100'000) const;
  // Whether a board has no holes and no digit twice where it should be once.
  bool is_solved(std::string_view board) const;

 private:
  struct Search;

  int64_t box_of(int64_t cell) const {
    const int64_t row = cell / size_;
    const int64_t column = cell % size_;
    return row / box_rows_ * box_rows_ + column / box_columns_;
  }

  int64_t size_;
  int64_t box_rows_;
  int64_t box_columns_;
};

}  // namespace ebt
