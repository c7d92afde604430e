// Rotary positions: the pairs (2i, 2i+1) of every head turned by angles of the row's position.
// T computes, S is stored.
#pragma once

#include <cstdint>

#include "ebt/kernels/isa.h"

namespace ebt::kernels {

// Cosine and sine (positions, width / 2) for heads of `width`; row r of the values stands at
// position r % positions.
template <class T>
struct RotaryAngles {
  int64_t heads = 0;
  int64_t width = 0;
  int64_t positions = 0;
  const T* cosine = nullptr;
  const T* sine = nullptr;
};

template <class T, class S>
struct RotaryKernels {
  // Turns x in place, whose rows are `stride` apart. `direction` is 1, or -1 for the inverse.
  void (*rotate)(int64_t rows, RotaryAngles<T> angles, int64_t stride, T direction, S* x);
  // From the cotangents of rotated keys and of values, (rows, 2 D), to the k and v thirds of
  // qkv_bar (rows, 3 D): those of keys turned back, both rounded.
  void (*keys_vjp)(int64_t rows, RotaryAngles<T> angles, const T* keys_bar, S* qkv_bar);
};

template <class T, class S>
const RotaryKernels<T, S>& rotary() {
  return table<RotaryKernels<T, S>>();
}

}  // namespace ebt::kernels
