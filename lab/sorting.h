// Symbols put in order: "3a01=" is answered by "013a".
#pragma once

#include <memory>

#include "lab/puzzle.h"

namespace ebt {

// The size is the number of symbols. They are the first config.symbols of 0..9a..z, drawn
// independently, in the order of their codes.
std::unique_ptr<Puzzle> make_sorting(const PuzzleConfig& config);

}  // namespace ebt
