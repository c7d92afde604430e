// The smooth L1 loss of rows, a mean over the values of each:
//   l(d) = d^2 / 2 where |d| < 1, else |d| - 1/2        l'(d) = d clamped to [-1, 1]
#pragma once

#include <cstdint>

#include "ebt/kernels/isa.h"

namespace ebt::kernels {

template <class T>
struct SmoothL1Kernels {
  // loss[row], and error[row] = the mean of d^2, for d = x - target. x_bar, unless it is null, =
  // slope * l'(d); it may be x.
  void (*loss_and_gradient)(int64_t rows, int64_t width, const T* x, const T* target, T slope,
                            T* loss, T* error, T* x_bar);
};

template <class T>
const SmoothL1Kernels<T>& smooth_l1() {
  return table<SmoothL1Kernels<T>>();
}

}  // namespace ebt::kernels
