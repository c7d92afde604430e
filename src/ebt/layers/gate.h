// The gate through which an adaLN landscape lets a branch into the residual stream (Peebles and
// Xie, 2023). x (..., D), gate (D).
//
//   forward     y     = x gate
//   vjp         x_bar = y_bar gate          gate_bar += sum of y_bar x
//   jvp         y_dot = x_dot gate
//   vjp_of_jvp  x_bar = 0                   gate_bar += sum of delta x_dot
#pragma once

#include "ebt/layers/layer.h"

namespace ebt {

// T computes; x and y's cotangents are stored as S, a residual stream in T takes y and y_dot.
template <class T, class S = T>
struct Gate {
  using Scalar = T;
  struct Params {
    Tensor<const T> gate;  // (D)
  };
  struct Grads {
    Tensor<T> gate;
  };
  struct Saved {
    Tensor<const S> x;
  };

  static void forward(const Params& params, Tensor<const S> x, Tensor<T> y, Saved& saved,
                      Write write = Write::kReplace);
  static void vjp(const Params& params, const Saved& saved, Tensor<const S> y_bar, Tensor<S> x_bar,
                  Write write, Grads* grads);
  static void jvp(const Params& params, const Saved& saved, Tensor<const S> x_dot, Tensor<T> y_dot,
                  Write write = Write::kReplace);
  // x_bar may be absent.
  static void vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const S> x_dot,
                         Tensor<const S> delta, Tensor<S> x_bar, Write write, Grads* grads);
};

}  // namespace ebt
