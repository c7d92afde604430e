// Root-mean-square normalisation of rows. x, y (rows, width).
//
//   r = (mean x^2 + eps)^-1/2          y = x r w
//   x_bar += r g - x r^3 (g.x) / D     with g = w y_bar;  w_bar += sum of y_bar x r
//   y_dot  = w (r x_dot - x r^3 (x.x_dot) / D)
// The second-order rule adds the gradient of <y_bar, J x_dot> (docs/derivations.md).
#pragma once

#include <cstdint>

namespace ebt::kernels {

template <class T>
struct RmsNormKernels {
  // Overwrites y and inverse_rms (rows).
  void (*forward)(int64_t rows, int64_t width, const T* x, const T* weight, T eps, T* y,
                  T* inverse_rms);
  // x_bar (added to, or replaced unless `add`); weight_bar (width) is added to, or null.
  void (*vjp)(int64_t rows, int64_t width, const T* x, const T* inverse_rms, const T* weight,
              const T* y_bar, bool add, T* x_bar, T* weight_bar);
  // Overwrites y_dot.
  void (*jvp)(int64_t rows, int64_t width, const T* x, const T* inverse_rms, const T* weight,
              const T* x_dot, T* y_dot);
  // As vjp, of <delta, J x_dot>.
  void (*vjp_of_jvp)(int64_t rows, int64_t width, const T* x, const T* inverse_rms, const T* weight,
                     const T* x_dot, const T* delta, bool add, T* x_bar, T* weight_bar);
};

}  // namespace ebt::kernels
