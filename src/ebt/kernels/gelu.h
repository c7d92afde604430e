// The Gaussian error linear unit in its tanh form, element by element. T computes, S is stored.
//
//   h = x s(v),  v = 2 sqrt(2/pi) (x + 0.044715 x^3),  s the logistic function
// which is x / 2 (1 + tanh(v / 2)). With k = s (1 - s):
//   h'  = s + x k v'
//   h'' = 2 k v' + x k ((1 - 2 s) v'^2 + v'')
#pragma once

#include <cstdint>

#include "ebt/kernels/isa.h"

namespace ebt::kernels {

template <class T, class S>
struct GeluKernels {
  void (*forward)(int64_t count, const S* x, S* h);
  // x_bar is added to where `add`, else replaced; h, if not null, is made once more.
  void (*vjp)(int64_t count, const S* x, const S* h_bar, bool add, S* x_bar, S* h);
  void (*jvp)(int64_t count, const S* x, const S* x_dot, S* h_dot);
  // vjp of h_bar (null: zero) and the gradient of <delta, h_dot> in one visit. Where not null:
  // delta_x = vjp of delta, and h and h_dot are made once more.
  void (*second_order)(int64_t count, const S* x, const S* x_dot, const S* delta, const S* h_bar,
                       bool add, S* x_bar, S* delta_x, S* h, S* h_dot);
};

template <class T, class S>
const GeluKernels<T, S>& gelu() {
  return table<GeluKernels<T, S>>();
}

}  // namespace ebt::kernels
