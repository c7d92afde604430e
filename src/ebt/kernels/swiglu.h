// The gate of SwiGLU. ab (rows, 2 width) holds a then b in every row; h (rows, width).
//
//   h = s(a) b                    s(a) = a sigmoid(a)
//   a_bar = h_bar s'(a) b         b_bar = h_bar s(a)
//   h_dot = s'(a) a_dot b + s(a) b_dot
//   second order, of <delta, h_dot>:
//     a_bar = delta (s''(a) a_dot b + s'(a) b_dot)     b_bar = delta s'(a) a_dot
#pragma once

#include <cstdint>

namespace ebt::kernels {

// Cotangents are added to where `add`, else replaced.
template <class T>
struct SwigluKernels {
  void (*forward)(int64_t rows, int64_t width, const T* ab, T* h);
  void (*vjp)(int64_t rows, int64_t width, const T* ab, const T* h_bar, bool add, T* ab_bar);
  void (*jvp)(int64_t rows, int64_t width, const T* ab, const T* ab_dot, T* h_dot);
  void (*vjp_of_jvp)(int64_t rows, int64_t width, const T* ab, const T* ab_dot, const T* delta,
                     bool add, T* ab_bar);
};

}  // namespace ebt::kernels
