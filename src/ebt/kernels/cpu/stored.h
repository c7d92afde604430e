// Reading and writing stored values a block at a time, for kernel files only (internal linkage):
// a loop over small arrays of the computing type vectorises whatever the stored type is.
#pragma once

#include <cstdint>

#include "ebt/core/bfloat16.h"

namespace {

inline constexpr int64_t kBlock = 64;

template <class T>
using Block = T[kBlock];

template <class T, class S>
inline void load(const S* from, int64_t count, T* to) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    to[i] = static_cast<T>(from[i]);
  }
}

template <class T, class S>
inline void store(const T* from, int64_t count, S* to) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    to[i] = static_cast<S>(from[i]);
  }
}

// Calls body(first, count) for the blocks of a row.
template <class Body>
inline void for_blocks(int64_t width, Body&& body) {
  int64_t first = 0;
  for (; first + kBlock <= width; first += kBlock) {
    body(first, kBlock);  // the count is known here: full blocks need no tail
  }
  if (first < width) {
    body(first, width - first);
  }
}

}  // namespace
