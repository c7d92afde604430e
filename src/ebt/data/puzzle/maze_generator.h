// Generator of mazes in which the shortest way is to be marked.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "ebt/data/puzzle/puzzle_generator.h"

namespace ebt {

// A maze of N x N rooms is a square of 2 N - 1 cells a side: rooms at even rows and columns,
// between two of them a passage or a wall. '#' is a wall, 'S' where the way begins and 'E' where it
// ends; of all other cells it is asked whether the way leads through them: '+' yes, '.' no.
struct MazeConfig {
  std::string rooms = "5";
  int64_t frame = 0;
  double loops = 0;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("rooms", rooms, "rooms along a side, drawn for every maze: 5, or 3-7");
    visit(
        "frame", frame,
        "rooms along a side that a row has cells for: smaller mazes lie somewhere within, so that "
        "one model sees several sizes; 0: the largest of --rooms");
    visit("loops", loops,
          "share of the walls between rooms that are opened as well, 0 to 1; 0: a perfect maze, in "
          "which one way leads from anywhere to anywhere");
  }
  // What answers are checked by: the puzzle alone.
  template <class Visitor>
  void visit_shape(Visitor&& /*visit*/) {}
};

// Only one shortest way leads from S to E, and it is at least half as long as the longest from S.
// Throws Error naming the first impossible field.
std::unique_ptr<PuzzleGenerator> make_maze_generator(const MazeConfig& config);

}  // namespace ebt
