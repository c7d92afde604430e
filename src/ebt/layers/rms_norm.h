// Root-mean-square normalisation of the last axis, y = x r w with r = (mean x^2 + eps)^-1/2
// (Zhang and Sennrich, 2019). D is the width, g = w y_bar.
//
//   forward     y     = x r w
//   vjp         x_bar = r g - r^3 (g.x) x / D            w_bar += sum of y_bar r x
//   jvp         y_dot = w (r x_dot - r^3 (x.x_dot) x / D)
//   vjp_of_jvp  with g = w delta, a = g.x_dot, b = x.x_dot, c = g.x:
//               x_bar = -(r^3/D) (a x + c x_dot + b g) + 3 (r^5/D^2) b c x
//               w_bar += sum of delta (r x_dot - r^3 b x / D)
#pragma once

#include "ebt/layers/layer.h"

namespace ebt {

template <class T>
struct RmsNorm {
  using Scalar = T;
  struct Params {
    Tensor<const T> weight;  // (D)
    T eps = 0;
  };
  struct Grads {
    Tensor<T> weight;
  };
  struct Saved {
    Tensor<const T> x;
    Tensor<T> inverse_rms;  // (rows): memory that the caller provides to forward
  };

  // x, y (..., D).
  static void forward(const Params& params, Tensor<const T> x, Tensor<T> y, Saved& saved);
  static void vjp(const Params& params, const Saved& saved, Tensor<const T> y_bar, Tensor<T> x_bar,
                  Write write, Grads* grads);
  static void jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot, Tensor<T> y_dot);
  static void vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot,
                         Tensor<const T> delta, Tensor<T> x_bar, Write write, Grads* grads);
};

}  // namespace ebt
