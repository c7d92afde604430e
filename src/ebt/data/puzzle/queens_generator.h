// Queens on a board, none of which attacks another: some are given, and the others are to be
// placed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "ebt/data/puzzle/puzzle_generator.h"

namespace ebt {

// A board of N x N squares holds N queens, 'Q'; '.' is an empty square. Of all squares but those of
// given queens it is asked which they are. '#' lies outside the board.
struct QueensConfig {
  std::string board = "8";
  int64_t frame = 0;
  std::string holes;
  bool unique = false;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("board", board, "squares along a side of the board, drawn for every puzzle: 8, or 6-10");
    visit("frame", frame,
          "squares along a side that a row has cells for: smaller boards lie somewhere within, so "
          "that one model sees several sizes; 0: the largest of --board");
    visit(
        "holes", holes,
        "queens that are to be placed, drawn for every puzzle: 5, or 3-6, and never more than the "
        "board has; default: from half of them to all but one");
    visit("unique", unique,
          "only puzzles with one solution; else there may be several, and any is right");
  }
  // What answers are checked by: the puzzle alone.
  template <class Visitor>
  void visit_shape(Visitor&& /*visit*/) {}
};

// Throws Error naming the first impossible field.
std::unique_ptr<PuzzleGenerator> make_queens_generator(const QueensConfig& config);

}  // namespace ebt
