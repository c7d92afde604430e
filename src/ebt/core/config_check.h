// Range checks of config values, with their error messages.
#pragma once

#include <cstdint>

#include "ebt/core/error.h"

namespace ebt {

inline void check_between(const char* flag, int64_t value, int64_t least, int64_t most) {
  EBT_CHECK(value >= least && value <= most, "{}: {} is not between {} and {}", flag, value, least,
            most);
}

// These also refuse what is not a number.
inline void check_share(const char* flag, double value) {
  EBT_CHECK(value >= 0 && value < 1, "{}: {} is not in [0, 1)", flag, value);
}

inline void check_closed_share(const char* flag, double value) {
  EBT_CHECK(value >= 0 && value <= 1, "{}: {} is not between 0 and 1", flag, value);
}

}  // namespace ebt
