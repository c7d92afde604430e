// A linear layer, y = x W^T + b. The energy head is one of a single output.
//
//   forward     y     = x W^T + b
//   vjp         x_bar = y_bar W          W_bar += y_bar^T x        b_bar += sum of y_bar
//   jvp         y_dot = x_dot W^T
//   vjp_of_jvp  x_bar = 0                W_bar += delta^T x_dot
//
// Products are where models spend their time: each begins by asking whether to stop
// (core/work_watch.h).
#pragma once

#include "ebt/layers/layer.h"

namespace ebt {

// x, y and their derivatives are stored as S; a result may also be summed in T.
template <class T, class S = T>
struct Linear {
  using Scalar = T;
  struct Params {
    kernels::WeightMatrix<T, S> weight;  // (out, in)
    Tensor<const T> bias;                // (out), or absent
  };
  struct Grads {
    Tensor<T> weight;
    Tensor<T> bias;
  };
  struct Saved {
    Tensor<const S> x;
  };

  // x (..., in), y (..., out). A residual stream adds its y and y_dot.
  template <class Y>
  static void forward(const Params& params, Tensor<const S> x, Tensor<Y> y, Saved& saved,
                      Write write = Write::kReplace);
  // x_bar may be absent.
  static void vjp(const Params& params, const Saved& saved, Tensor<const S> y_bar, Tensor<S> x_bar,
                  Write write, Grads* grads);
  template <class Y>
  static void jvp(const Params& params, const Saved& saved, Tensor<const S> x_dot, Tensor<Y> y_dot,
                  Write write = Write::kReplace);
  static void vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const S> x_dot,
                         Tensor<const S> delta, Tensor<S> x_bar, Write write, Grads* grads);
};

}  // namespace ebt
