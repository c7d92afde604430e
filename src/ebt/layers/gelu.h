// The Gaussian error linear unit (Hendrycks and Gimpel, 2016) in its tanh form. x, y of any shape;
// s is the logistic function, v = 2 sqrt(2/pi) (x + 0.044715 x^3), k = s(v) (1 - s(v)).
//
//   forward     y     = x s(v)                    = x / 2 (1 + tanh(v / 2))
//   vjp         x_bar = y_bar y'                  y'  = s + x k v'
//   jvp         y_dot = y' x_dot
//   vjp_of_jvp  x_bar = delta y'' x_dot           y'' = 2 k v' + x k ((1 - 2 s) v'^2 + v'')
#pragma once

#include "ebt/layers/layer.h"

namespace ebt {

// T computes; everything is stored as S.
template <class T, class S = T>
struct Gelu {
  using Scalar = T;
  struct Params {};
  struct Grads {};
  struct Saved {
    Tensor<const S> x;
  };
  // What the weight gradients around it need of earlier passes, made once more instead of kept.
  // Each may be absent.
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
