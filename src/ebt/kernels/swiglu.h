// The gate of SwiGLU. ab (rows, 2 width) holds a then b in every row; h (rows, width). T computes,
// S is stored.
//
//   h = s(a) b                    s(a) = a sigmoid(a)
//   a_bar = h_bar s'(a) b         b_bar = h_bar s(a)
//   h_dot = s'(a) a_dot b + s(a) b_dot
//   second order, of <delta, h_dot>:
//     a_bar = delta (s''(a) a_dot b + s'(a) b_dot)     b_bar = delta s'(a) a_dot
#pragma once

#include <cstdint>

#include "ebt/kernels/isa.h"

namespace ebt::kernels {

template <class T, class S>
struct SwigluKernels {
  void (*forward)(int64_t rows, int64_t width, const S* ab, S* h);
  // ab_bar is added to where `add`, else replaced; h, if not null, is made once more.
  void (*vjp)(int64_t rows, int64_t width, const S* ab, const S* h_bar, bool add, S* ab_bar, S* h);
  void (*jvp)(int64_t rows, int64_t width, const S* ab, const S* ab_dot, S* h_dot);
  // vjp of h_bar (null: zero) and the gradient of <delta, h_dot> in one visit. Where not null:
  // delta_ab = vjp of delta, and h and h_dot are made once more.
  void (*second_order)(int64_t rows, int64_t width, const S* ab, const S* ab_dot, const S* delta,
                       const S* h_bar, bool add, S* ab_bar, S* delta_ab, S* h, S* h_dot);
};

template <class T, class S>
const SwigluKernels<T, S>& swiglu() {
  return table<SwigluKernels<T, S>>();
}

}  // namespace ebt::kernels
