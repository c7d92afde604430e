// Two numbers added: "57+68=" is answered by "125".
#pragma once

#include <memory>

#include "lab/puzzle.h"

namespace ebt {

// The size is the number of digits, which both numbers have, without leading zeros. Answers are
// written the most significant digit first, as people do. It is the hard way round for a model
// that writes from left to right: every digit depends on carries that it has not written yet.
std::unique_ptr<Puzzle> make_addition(const PuzzleConfig& config);

}  // namespace ebt
