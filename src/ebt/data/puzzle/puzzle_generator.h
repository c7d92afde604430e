// Interface of puzzle generators. A puzzle is a row of cells, some given, the others asked for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ebt/data/random_draws.h"

namespace ebt {

// In puzzles, a cell that is asked for. (Of additions, in which it is a digit, '?' is.)
inline constexpr char kUnknownCell = '0';

// A puzzle and one answer of it, as long as the puzzle: a character a cell, row by row of a grid.
// Cells that are not asked for are the same in both.
struct PuzzleRow {
  std::string puzzle;
  std::string solution;
};

// Makes puzzles of one kind and checks answers. Immutable, and so safe to use from many threads.
class PuzzleGenerator {
 public:
  virtual ~PuzzleGenerator() = default;

  // A puzzle that follows from the draws alone. Throws Error where none that was asked for is
  // found.
  virtual PuzzleRow draw(RandomDraws& draws) const = 0;
  // What is wrong with an answer, "row 3 holds 5 twice"; "" where it is right. Of a puzzle that has
  // several right answers any is right.
  virtual std::string fault(std::string_view puzzle, std::string_view answer) const = 0;
  // Rows and columns of the grid that the cells of every puzzle make.
  virtual int64_t grid_rows() const = 0;
  virtual int64_t grid_columns() const = 0;
  // What a model could remember of a row instead of working it out: puzzles to test with should
  // share it with none of training.
  virtual const std::string& subject(const PuzzleRow& row) const { return row.puzzle; }
};

}  // namespace ebt
