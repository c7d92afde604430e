// Tokens to vectors, and the landscape token that may stand before them.
//
// Embedding: y[n] = E[token n]. Tokens have no derivative, so only two rules are not zero:
//   forward     y = E[tokens]          vjp  E_bar[tokens] += y_bar
//
// LandscapeToken: y = [w; x] along the sequence, for every sequence.
//   forward     y     = [w; x]
//   vjp         x_bar = y_bar[1:]      w_bar += sum over sequences of y_bar[0]
//   jvp         y_dot = [0; x_dot]
//   vjp_of_jvp  x_bar = 0
#pragma once

#include "ebt/layers/layer.h"

namespace ebt {

template <class T>
struct Embedding {
  // weight (V, D), tokens (N), y (N, D). Throws Error for a token outside 0..V-1.
  static void forward(Tensor<const T> weight, Tensor<const int32_t> tokens, Tensor<T> y);
  // weight_bar (V, D) is added to, in order of n for any number of threads.
  static void vjp(Tensor<const int32_t> tokens, Tensor<const T> y_bar, Tensor<T> weight_bar);
};

template <class T>
struct LandscapeToken {
  using Scalar = T;
  struct Params {
    Tensor<const T> weight;  // (D)
  };
  struct Grads {
    Tensor<T> weight;
  };
  struct Saved {};

  // x (B, S, D), y (B, S + 1, D).
  static void forward(const Params& params, Tensor<const T> x, Tensor<T> y, Saved& saved);
  static void vjp(const Params& params, const Saved& saved, Tensor<const T> y_bar, Tensor<T> x_bar,
                  Write write, Grads* grads);
  static void jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot, Tensor<T> y_dot);
  static void vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot,
                         Tensor<const T> delta, Tensor<T> x_bar, Write write, Grads* grads);
};

}  // namespace ebt
