// Helpers of puzzles on a square of cells.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ebt/core/config_check.h"
#include "ebt/data/notation.h"

namespace ebt {

// The side of the square that so many cells make, if they make one.
inline std::optional<int64_t> side_of_square(size_t cells) {
  const auto side = static_cast<int64_t>(std::llround(std::sqrt(static_cast<double>(cells))));
  return side > 0 && static_cast<size_t>(side * side) == cells ? std::optional(side) : std::nullopt;
}

// "row 2, column 5"
inline std::string place_in_square(int64_t cell, int64_t side) {
  return fmt::format("row {}, column {}", cell / side + 1, cell % side + 1);
}

// Sizes that puzzles are drawn of, and the size that their rows have room for.
struct FramedSize {
  NumberRange sizes;
  int64_t frame = 0;
};

// The sizes that `flag` says. Throws Error unless they lie between `least` and `most`, and the
// frame, which is the largest of them where it is 0, is none of the smaller ones.
inline FramedSize framed_size(const char* flag, const std::string& size, int64_t frame,
                              int64_t least, int64_t most) {
  const NumberRange sizes = parse_range(flag, size);
  check_between(flag, sizes.least, least, most);
  check_between(flag, sizes.most, least, most);
  if (frame != 0) {
    check_between("--frame", frame, sizes.most, most);
  }
  return {sizes, frame == 0 ? sizes.most : frame};
}

}  // namespace ebt
