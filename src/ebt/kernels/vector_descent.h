// The step of candidates that are vectors: from x (rows, width) down the energy's gradient g, with
// a step size for each row.
//
//   next = x - step g        g_bar = -step next_bar        step_bar = -g.next_bar = g.g_bar / step
#pragma once

#include <cstdint>

#include "ebt/kernels/isa.h"

namespace ebt::kernels {

template <class T>
struct VectorDescentKernels {
  // next may be x or g.
  void (*descend)(int64_t rows, int64_t width, const T* x, const T* step, const T* g, T* next);
  // Also the tangent of next for that of g. g_bar may be next_bar.
  void (*vjp)(int64_t rows, int64_t width, const T* next_bar, const T* step, T* g_bar);
};

template <class T>
const VectorDescentKernels<T>& vector_descent() {
  return table<VectorDescentKernels<T>>();
}

}  // namespace ebt::kernels
