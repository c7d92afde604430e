// Sudoku: the prompt is the board row by row, '.' for holes, and the answer is the whole board, the
// given digits among them: "1.34..." is answered by "1234...". So a digit of the answer stands a
// board's length behind its hole, whichever holes there are.
#pragma once

#include <memory>

#include "ebt/data/notation.h"
#include "lab/puzzle.h"

namespace ebt {

// The boxes of a board of 4, 6 or 9 cells along a side: 2x2, 2x3 or 3x3. Throws Error for others.
Extents sudoku_boxes(int64_t board);

// The size is the number of holes; every puzzle has one solution. The subject is the solved board.
// There are 288 of 4x4, of which tests have 24; 28 million of 6x6; 6.7 * 10^21 of 9x9.
std::unique_ptr<Puzzle> make_sudoku(const PuzzleConfig& config);

}  // namespace ebt
