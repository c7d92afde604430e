// What makes the vectors of adaLN from a condition: silu(x) = x sigmoid(x), and scales that act
// through the gains of norms.
#pragma once

#include <cstdint>

#include "ebt/kernels/isa.h"

namespace ebt::kernels {

template <class T>
struct ModulationKernels {
  // y = silu(x)
  void (*silu)(int64_t count, const T* x, T* y);
  // x_bar = y_bar silu'(x), or added to x_bar, which may be y_bar.
  void (*silu_vjp)(int64_t count, const T* x, const T* y_bar, bool add, T* x_bar);
  // x += 1 in `rows` rows of `width`, `stride` apart: the gains of scales
  void (*add_one)(int64_t rows, int64_t width, int64_t stride, T* x);
  // gain = weight (1 + scale)
  void (*gain)(int64_t count, const T* weight, const T* scale, T* gain);
  // weight_bar += gain_bar (1 + scale); scale_bar = gain_bar weight
  void (*gain_vjp)(int64_t count, const T* weight, const T* scale, const T* gain_bar, T* weight_bar,
                   T* scale_bar);
};

template <class T>
const ModulationKernels<T>& modulation() {
  return table<ModulationKernels<T>>();
}

}  // namespace ebt::kernels
