// The gate between the two projections in and the one out of a SwiGLU feed-forward block (Shazeer,
// 2020). x (..., 2 F) holds a, b; y (..., F); s(a) = a sigmoid(a).
//
//   forward     y     = s(a) b
//   vjp         a_bar = y_bar s'(a) b                             b_bar = y_bar s(a)
//   jvp         y_dot = s'(a) a_dot b + s(a) b_dot
//   vjp_of_jvp  a_bar = delta (s''(a) a_dot b + s'(a) b_dot)      b_bar = delta s'(a) a_dot
#pragma once

#include "ebt/layers/layer.h"

namespace ebt {

template <class T>
struct SwigluGate {
  using Scalar = T;
  struct Params {};
  struct Grads {};
  struct Saved {
    Tensor<const T> x;
  };

  static void forward(const Params& params, Tensor<const T> x, Tensor<T> y, Saved& saved);
  static void vjp(const Params& params, const Saved& saved, Tensor<const T> y_bar, Tensor<T> x_bar,
                  Write write, Grads* grads);
  static void jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot, Tensor<T> y_dot);
  static void vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot,
                         Tensor<const T> delta, Tensor<T> x_bar, Write write, Grads* grads);
};

}  // namespace ebt
