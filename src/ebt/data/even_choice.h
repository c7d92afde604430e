// Choosing some of a sequence so that they lie evenly in it, which may be sorted by what it holds.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace ebt {

// `wanted`, or all that are available where it is 0 or more than these.
inline int64_t limited(int64_t wanted, int64_t available) {
  return wanted > 0 ? std::min(wanted, available) : available;
}

// Which of the available is number i of `count` that are spread evenly over them.
inline int64_t spread_place(int64_t i, int64_t count, int64_t available) {
  return i * available / count;
}

// Which of `count` are the `chosen`: of the first n, as many as their share demands.
inline std::vector<bool> choose_evenly(int64_t chosen, int64_t count) {
  std::vector<bool> is_chosen(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    is_chosen[static_cast<size_t>(i)] = (i + 1) * chosen / count > i * chosen / count;
  }
  return is_chosen;
}

}  // namespace ebt
