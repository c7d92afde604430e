// The shortest way through a maze: rows of cells, '.' free and '#' not, divided by '/', from S to E
// in steps up, down, left and right. "S.#/#../#.E=" is answered by "RDRD" or "RDDR".
#pragma once

#include <memory>

#include "lab/puzzle.h"

namespace ebt {

// The size is the number of cells along a side. Two cells of five are blocked at random. The way is
// as long as one and a half to three sides, and mazes that are asked have one shortest way only; of
// a prompt that has several, any is right.
std::unique_ptr<Puzzle> make_maze(const PuzzleConfig& config);

}  // namespace ebt
