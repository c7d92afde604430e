// The gate through which a modulation lets a branch into the residual stream (Peebles and Xie,
// 2023). x (..., D), gate (D), or (G, D) where rows of x come in G equal groups.
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
    kernels::Matrix<const T> gate;  // (G, D)
  };
  struct Grads {
    kernels::Matrix<T> gate;  // as far apart as the gates
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
  static void vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const S> x_dot,
                         Tensor<const S> delta, Tensor<S> x_bar, Write write, Grads* grads);
  // vjp and vjp_of_jvp in one visit, for layer.h's second_order. delta_x, which may be absent,
  // receives the vjp of delta once more.
  static void second_order(const Params& params, const Saved& saved, Tensor<const S> x_dot,
                           Tensor<const S> delta, Tensor<const S> y_bar, Tensor<S> x_bar,
                           Write write, Grads* grads, Tensor<S> delta_x = {});
};

}  // namespace ebt
