// Root-mean-square normalisation of rows of a residual stream, with the gain and shift of a
// landscape. T computes, S is stored; every array (rows, width).
//
//   r = (mean x^2 + eps)^-1/2          y = x r gain + shift
//   x_bar = r g - x r^3 (g.x) / D      with g = gain y_bar;  gain_bar += sum of y_bar x r,
//                                      shift_bar += sum of y_bar
//   y_dot = gain (r x_dot - x r^3 (x.x_dot) / D)
// The second-order rule adds the gradient of <delta, y_dot> (docs/derivations.md).
#pragma once

#include <cstdint>

namespace ebt::kernels {

// The norm of one residual stream.
template <class T, class S>
struct RmsNormArguments {
  int64_t rows = 0;
  int64_t width = 0;
  const T* gain = nullptr;   // (width)
  const T* shift = nullptr;  // (width) or null
  T eps = 0;
  const S* x = nullptr;      // (rows, width)
  T* inverse_rms = nullptr;  // (rows): forward writes
};

// A residual stream's cotangent: `sum` is added to, or replaced unless `add`; `stored`, if not
// null, receives the new sum.
template <class T, class S>
struct StreamCotangent {
  T* sum = nullptr;
  bool add = false;
  S* stored = nullptr;
};

// Sums over rows that are added to; null: not wanted.
template <class T>
struct NormGradients {
  T* gain = nullptr;   // (width)
  T* shift = nullptr;  // (width)
};

template <class T, class S>
struct RmsNormKernels {
  // Where `stream` is not null it is first rounded into a.x, which is then `kept`.
  void (*forward)(const RmsNormArguments<T, S>& a, const T* stream, S* kept, S* y);
  // `y`, if not null, receives the forward result once more.
  void (*vjp)(const RmsNormArguments<T, S>& a, const S* y_bar, StreamCotangent<T, S> x_bar,
              NormGradients<T> gradients, S* y);
  // Likewise for x_dot and stream_dot.
  void (*jvp)(const RmsNormArguments<T, S>& a, const S* x_dot, const T* stream_dot, S* kept,
              S* y_dot);
  // vjp of y_bar (null: zero) and the gradient of <delta, y_dot> in one visit; y and y_dot, if not
  // null, receive the results of forward and jvp once more.
  void (*second_order)(const RmsNormArguments<T, S>& a, const S* x_dot, const S* delta,
                       const S* y_bar, StreamCotangent<T, S> x_bar, NormGradients<T> gradients,
                       S* y, S* y_dot);
};

}  // namespace ebt::kernels
