// Normalisation of rows of a residual stream, with a gain and a shift. T computes, S is stored;
// every array (rows, width).
//
// Root-mean-square norm, c = x; layer norm, c = x - mean x:
//
//   r = (mean c^2 + eps)^-1/2          y = c r gain + shift
//   x_bar = P (r g - c r^3 (g.c) / D)  with g = gain y_bar;  gain_bar += sum of y_bar c r,
//                                      shift_bar += sum of y_bar
//   y_dot = gain (r c_dot - c r^3 (c.x_dot) / D)             with c_dot = P x_dot
// P is the identity, or of a layer norm takes away the mean. The second-order rule adds the
// gradient of <delta, y_dot> (docs/derivations.md).
#pragma once

#include <cstdint>

#include "ebt/kernels/isa.h"

namespace ebt::kernels {

// The norm of one residual stream.
template <class T, class S>
struct NormArguments {
  int64_t rows = 0;
  int64_t width = 0;
  const T* gain = nullptr;   // (width) of each group
  const T* shift = nullptr;  // likewise, or null
  T eps = 0;
  const S* x = nullptr;            // (rows, width)
  T* inverse_deviation = nullptr;  // (rows) r: forward writes
  T* mean = nullptr;               // (rows): forward writes; null makes it a root-mean-square norm
  // Rows come in equal groups with a gain and a shift each, `group_stride` elements apart.
  int64_t groups = 1;
  int64_t group_stride = 0;
};

// A residual stream's cotangent: `sum` is added to, or replaced unless `add`; `stored`, if not
// null, receives the new sum.
template <class T, class S>
struct StreamCotangent {
  T* sum = nullptr;
  bool add = false;
  S* stored = nullptr;
};

// Sums over the rows of each group, that are added to; null: not wanted.
template <class T>
struct NormGradients {
  T* gain = nullptr;   // (width) of each group, as far apart as the gains
  T* shift = nullptr;  // likewise
};

template <class T, class S>
struct NormKernels {
  // Where `stream` is not null it is first rounded into a.x, which is then `kept`.
  void (*forward)(const NormArguments<T, S>& a, const T* stream, S* kept, S* y);
  // `y`, if not null, receives the forward result once more.
  void (*vjp)(const NormArguments<T, S>& a, const S* y_bar, StreamCotangent<T, S> x_bar,
              NormGradients<T> gradients, S* y);
  // Likewise for x_dot and stream_dot.
  void (*jvp)(const NormArguments<T, S>& a, const S* x_dot, const T* stream_dot, S* kept, S* y_dot);
  // vjp of y_bar (null: zero) and the gradient of <delta, y_dot> in one visit; y and y_dot, if not
  // null, receive the results of forward and jvp once more.
  void (*second_order)(const NormArguments<T, S>& a, const S* x_dot, const S* delta, const S* y_bar,
                       StreamCotangent<T, S> x_bar, NormGradients<T> gradients, S* y, S* y_dot);
};

template <class T, class S>
const NormKernels<T, S>& norm() {
  return table<NormKernels<T, S>>();
}

}  // namespace ebt::kernels
