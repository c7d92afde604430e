// The two ways in which an adaLN landscape vector acts on a block (Peebles and Xie, 2023): a
// modulated norm and a gated residual. Both are affine in x (..., D).
//
//   Modulation  forward     y     = x (1 + scale) + shift
//               vjp         x_bar = y_bar (1 + scale)   scale_bar += sum of y_bar x
//                                                       shift_bar += sum of y_bar
//               jvp         y_dot = x_dot (1 + scale)
//               vjp_of_jvp  x_bar = 0                   scale_bar += sum of delta x_dot
//   Gate        forward     y     = x gate
//               vjp         x_bar = y_bar gate          gate_bar += sum of y_bar x
//               jvp         y_dot = x_dot gate
//               vjp_of_jvp  x_bar = 0                   gate_bar += sum of delta x_dot
#pragma once

#include "ebt/layers/layer.h"

namespace ebt {

template <class T>
struct Modulation {
  using Scalar = T;
  struct Params {
    Tensor<const T> shift;  // (D)
    Tensor<const T> scale;  // (D)
  };
  struct Grads {
    Tensor<T> shift;
    Tensor<T> scale;
  };
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

template <class T>
struct Gate {
  using Scalar = T;
  struct Params {
    Tensor<const T> gate;  // (D)
  };
  struct Grads {
    Tensor<T> gate;
  };
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
