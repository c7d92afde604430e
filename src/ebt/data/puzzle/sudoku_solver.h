// Sudoku solver: boards of N x N cells, whose rows, columns and boxes hold each of 1 .. N once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ebt/data/notation.h"
#include "ebt/data/random_draws.h"

namespace ebt {

// A board is its cells row by row: '1' to '9', behind 9 'A' to 'G', and '0' or '.' for holes.
// Solves by constraint propagation: of every cell the digits that may stand in it, and of every
// digit the cells of every row, column and box that it may stand in; where one is left it is
// placed, and where several are, the fewest are tried. Immutable.
class SudokuSolver {
 public:
  // Of boxes of that many rows and columns of cells, 2 at least; N is the cells of a box, 16 at
  // most. Throws Error for others, whose message begins with `flag`.
  explicit SudokuSolver(Extents boxes, const std::string& flag = "--boxes");

  int64_t size() const { return size_; }  // N
  int64_t cell_count() const { return size_ * size_; }

  // A board without holes. Every board can come up, not quite equally often.
  std::string draw_board(RandomDraws& draws) const;
  // Whether exactly one board without holes agrees with `board`. Also false where it takes more
  // than `guesses` to find out, which is many times what puzzles take.
  bool has_one_solution(std::string_view board, int64_t guesses = 100'000) const;
  // Whether the other cells of a board that has one solution still allow only this one when the
  // digit of `cell` is taken away. Also false where it takes more than `guesses` to find out.
  bool is_implied(std::string_view board, int64_t cell, int64_t guesses = 100'000) const;
  // What is wrong with a board: "row 3 holds 5 twice"; "" for one that is solved.
  std::string fault(std::string_view board) const;

 private:
  struct Candidates;
  struct Search;

  // A row, column or box: its cells.
  using Unit = std::vector<int16_t>;

  // 1 .. N; 0: a hole; -1: neither.
  int64_t digit_of(char cell) const;
  std::string unit_name(int64_t unit) const;

  int64_t size_;
  std::vector<Unit> units_;  // rows, columns, boxes
  struct Place {
    int16_t unit;
    int16_t index;  // in the unit
  };
  std::vector<Place> places_;                // (cells, 3)
  std::vector<std::vector<int16_t>> peers_;  // of every cell, those that share a unit with it
};

// How a digit is written; 0: a hole.
char sudoku_digit(int64_t digit);

}  // namespace ebt
