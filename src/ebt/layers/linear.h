// A linear layer, y = x W^T + b. The energy head is one of a single output.
//
//   forward     y     = x W^T + b
//   vjp         x_bar = y_bar W          W_bar += y_bar^T x        b_bar += sum of y_bar
//   jvp         y_dot = x_dot W^T
//   vjp_of_jvp  x_bar = 0                W_bar += delta^T x_dot
#pragma once

#include "ebt/layers/layer.h"

namespace ebt {

template <class T>
struct Linear {
  using Scalar = T;
  struct Params {
    Tensor<const T> weight;  // (out, in)
    Tensor<const T> bias;    // (out), or absent
  };
  struct Grads {
    Tensor<T> weight;
    Tensor<T> bias;
  };
  struct Saved {
    Tensor<const T> x;
  };

  // x (..., in), y (..., out). A residual connection adds its y and y_dot.
  static void forward(const Params& params, Tensor<const T> x, Tensor<T> y, Saved& saved,
                      Write write = Write::kReplace);
  static void vjp(const Params& params, const Saved& saved, Tensor<const T> y_bar, Tensor<T> x_bar,
                  Write write, Grads* grads);
  static void jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot, Tensor<T> y_dot,
                  Write write = Write::kReplace);
  static void vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot,
                         Tensor<const T> delta, Tensor<T> x_bar, Write write, Grads* grads);
};

}  // namespace ebt
