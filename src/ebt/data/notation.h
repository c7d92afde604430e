// Numbers as flags write them: "2x3" for extents, "6-16" for a range.
#pragma once

#include <cstdint>
#include <string>

namespace ebt {

struct Extents {
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t count() const { return rows * columns; }
};

// Of "2x3": rows x columns, each at least 1 and at most 1,000,000. `flag` begins error messages.
Extents parse_extents(const std::string& flag, const std::string& text);

// Whole numbers from `least` to `most`, both included.
struct NumberRange {
  int64_t least = 0;
  int64_t most = 0;
};

// Of "6-16", or of "6" alone; 0 <= least <= most <= 1,000,000,000. `flag` begins error messages.
NumberRange parse_range(const std::string& flag, const std::string& text);

}  // namespace ebt
