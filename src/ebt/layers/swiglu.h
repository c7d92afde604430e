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

// T computes; everything is stored as S.
template <class T, class S = T>
struct SwigluGate {
  using Scalar = T;
  struct Params {};
  struct Grads {};
  struct Saved {
    Tensor<const S> x;
  };
  // What the weight gradients around the gate need of earlier passes, made once more instead of
  // kept. Each may be absent.
  struct Recomputed {
    Tensor<S> y, y_dot;
    Tensor<S> delta_x;  // vjp of delta
  };

  static void forward(const Params& params, Tensor<const S> x, Tensor<S> y, Saved& saved);
  static void vjp(const Params& params, const Saved& saved, Tensor<const S> y_bar, Tensor<S> x_bar,
                  Write write, Grads* grads, const Recomputed& recomputed = {});
  static void jvp(const Params& params, const Saved& saved, Tensor<const S> x_dot, Tensor<S> y_dot);
  static void vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const S> x_dot,
                         Tensor<const S> delta, Tensor<S> x_bar, Write write, Grads* grads);
  // vjp and vjp_of_jvp in one visit, for layer.h's second_order; an absent y_bar is zero.
  static void second_order(const Params& params, const Saved& saved, Tensor<const S> x_dot,
                           Tensor<const S> delta, Tensor<const S> y_bar, Tensor<S> x_bar,
                           Write write, Grads* grads, const Recomputed& recomputed = {});
};

}  // namespace ebt
