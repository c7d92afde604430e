// Generator of sudokus of any size of boxes, each with one solution.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "ebt/data/puzzle/puzzle_generator.h"
#include "ebt/data/puzzle/sudoku_solver.h"

namespace ebt {

struct SudokuConfig {
  std::string boxes = "3x3";
  std::string holes;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit_shape(visit);
    visit("holes", holes,
          "cells that are asked for, drawn for every puzzle: 20, or 6-16; default: a sixth to four "
          "ninths of the board");
  }
  // What answers are checked by.
  template <class Visitor>
  void visit_shape(Visitor&& visit) {
    visit("boxes", boxes,
          "rows x columns of a box, whose cells are the digits of a board: 2x2 (boards of 4x4) to "
          "4x4 (16x16)");
  }
};

// Throws Error naming the first impossible field: there are also most holes that a board of one
// solution can have.
std::unique_ptr<PuzzleGenerator> make_sudoku_generator(const SudokuConfig& config);

// The solved board without the digits of so many cells, in such an order that one solution is left;
// nothing where that is not found. Where digits cannot be taken away any more, some are put back
// and others tried.
std::optional<std::string> with_holes(const SudokuSolver& solver, const std::string& solved,
                                      int64_t holes, RandomDraws& draws);

}  // namespace ebt
