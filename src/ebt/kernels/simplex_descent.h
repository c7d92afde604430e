// The step of candidates that are distributions over a vocabulary: from p (rows, width) down the
// energy's gradient g, with a step size and, unless `bound` is null, a largest entry of g for each
// row. T computes; p and the cotangents of g are stored as S.
//
//   next = p - step clamp(g, +-bound)
#pragma once

#include <cstdint>

#include "ebt/kernels/isa.h"

namespace ebt::kernels {

template <class T, class S>
struct SimplexDescentKernels {
  // Clamped entries of g are set to exactly the bound. next may be g.
  void (*descend)(int64_t rows, int64_t width, const S* p, const T* step, const T* bound, T* g,
                  T* next);
  // g_bar = -step next_bar, 0 in clamped entries. g is not read without a bound.
  void (*vjp)(int64_t rows, int64_t width, const T* next_bar, const T* step, const T* bound,
              const T* g, S* g_bar);
  // out[row] = step g.next_bar without clamped entries: those move by the same amount whatever the
  // step is. It is -step times the derivative by the step.
  void (*step_gradient)(int64_t rows, int64_t width, const T* next_bar, const T* step,
                        const T* bound, const T* g, T* out);
};

template <class T, class S>
const SimplexDescentKernels<T, S>& simplex_descent() {
  return table<SimplexDescentKernels<T, S>>();
}

}  // namespace ebt::kernels
