// Open brackets to close, the innermost first: "([]{<=" is answered by ">})".
#pragma once

#include <memory>

#include "lab/puzzle.h"

namespace ebt {

// The size is the number of brackets that are left open, and so the length of the one right answer.
// Up to as many pairs, drawn uniformly, are opened and closed within the prompt, which is equally
// likely to be any that has those numbers of brackets. They are of the first config.kinds of
// () [] {} <>.
std::unique_ptr<Puzzle> make_brackets(const PuzzleConfig& config);

}  // namespace ebt
