// The gate through which a branch enters a residual stream. T computes, S is stored; every array
// (rows, width).
//
//   y = x gate        x_bar = y_bar gate        gate_bar += sum of y_bar x [+ delta x_dot]
#pragma once

#include <cstdint>

#include "ebt/kernels/isa.h"

namespace ebt::kernels {

template <class T>
struct GateArguments {
  int64_t rows = 0;
  int64_t width = 0;
  const T* gate = nullptr;  // (width) of each group
  // Rows come in equal groups with a gate each, `group_stride` elements apart.
  int64_t groups = 1;
  int64_t group_stride = 0;
};

template <class T, class S>
struct GateKernels {
  // y = x gate, or added to y.
  void (*forward)(const GateArguments<T>& a, const S* x, bool add, T* y);
  // gate_bar may be null.
  void (*vjp)(const GateArguments<T>& a, const S* x, const S* y_bar, bool add, S* x_bar,
              T* gate_bar);
  // vjp, and with it delta_x = delta gate and the share of delta x_dot in gate_bar. y_bar and x_bar
  // may be null together.
  void (*second_order)(const GateArguments<T>& a, const S* x, const S* x_dot, const S* delta,
                       const S* y_bar, bool add, S* x_bar, S* delta_x, T* gate_bar);
};

template <class T, class S>
const GateKernels<T, S>& gate() {
  return table<GateKernels<T, S>>();
}

}  // namespace ebt::kernels
