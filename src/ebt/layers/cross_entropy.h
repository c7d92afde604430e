// Cross-entropy of logits x (N, V) against tokens, in nats, one loss per row:
// y = -sum_j q_j log softmax(x)_j, with q = (1 - smoothing) one_hot(target) + smoothing / V.
// Rows whose target is negative are ignored: their loss and all derivatives are 0.
//
//   forward     p = softmax(x)          y     = -q.log p
//   vjp         x_bar = y_bar (p - q)
//   jvp         y_dot = (p - q).x_dot
//   vjp_of_jvp  x_bar = delta p (x_dot - p.x_dot)
#pragma once

#include "ebt/layers/layer.h"

namespace ebt {

template <class T>
struct CrossEntropy {
  using Scalar = T;
  struct Params {
    Tensor<const int32_t> targets;  // (N)
    T smoothing = 0;
  };
  struct Grads {};
  struct Saved {
    Tensor<T> p;  // (N, V): memory that the caller provides to forward
  };

  // x (N, V), y (N).
  static void forward(const Params& params, Tensor<const T> x, Tensor<T> y, Saved& saved);
  static void vjp(const Params& params, const Saved& saved, Tensor<const T> y_bar, Tensor<T> x_bar,
                  Write write, Grads* grads);
  static void jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot, Tensor<T> y_dot);
  static void vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot,
                         Tensor<const T> delta, Tensor<T> x_bar, Write write, Grads* grads);

  // forward and vjp in one visit, for a loss that is `scale` times the sum of the rows': row losses
  // (N), and x_bar (N, V) = scale (p - q) unless absent. x_bar may be x.
  static void loss_and_gradient(const Params& params, Tensor<const T> x, T scale, Tensor<T> loss,
                                Tensor<T> x_bar);
};

}  // namespace ebt
