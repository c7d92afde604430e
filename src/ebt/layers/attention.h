// Causal attention over rotated queries and keys, in the two streams of an energy model. qkv rows
// hold q, k, v of every token; w is the softmax of scale q.k over what a query sees, scale =
// d^-1/2.
//
//   forward     o     = sum w v
//   vjp         ds = w (o_bar.v - o_bar.o):  q_bar = scale ds k, k_bar = scale ds^T q,
//               v_bar = w^T o_bar
//   jvp         s_dot = scale (q_dot.k + q.k_dot), m = sum w s_dot:
//               o_dot = sum w (s_dot - m) v + w v_dot
//   vjp_of_jvp  the gradient of cov_w(s_dot, delta.v) + mean_w(delta.v_dot)
// Derived in docs/derivations.md. No rule holds an S x S matrix.
#pragma once

#include "ebt/core/arena.h"
#include "ebt/layers/layer.h"

namespace ebt {

// What both streams record for their later rules. The caller provides all memory but qkv.
template <class T>
struct AttentionSaved {
  Tensor<const T> qkv;  // (B, S, 3 D)
  Tensor<T> o;          // (B, S, D)
  Tensor<T> log_sum;    // (B, S, H)
  Tensor<T> o_dot;      // (B, S, D) recorded by jvp for vjp_of_jvp
  Tensor<T> mean_dot;   // (B, S, H) likewise
};

// The context stream: token t attends to tokens 0..t.
template <class T>
struct ContextAttention {
  using Scalar = T;
  struct Params {
    int64_t heads = 0;
  };
  struct Grads {};
  using Saved = AttentionSaved<T>;

  // x (B, S, 3 D), y (B, S, D).
  static void forward(const Params& params, Tensor<const T> x, Tensor<T> y, Saved& saved);
  static void vjp(const Params& params, const Saved& saved, Tensor<const T> y_bar, Tensor<T> x_bar,
                  Write write, Grads* grads);
  static void jvp(const Params& params, Saved& saved, Tensor<const T> x_dot, Tensor<T> y_dot);
  static void vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot,
                         Tensor<const T> delta, Tensor<T> x_bar, Write write, Grads* grads);
};

// The prediction stream: query t, at sequence position first_query + t, attends to context tokens
// 0..first_query + t + lead and to itself. The context enters as a parameter: it has cotangents
// but, not depending on the candidate, no tangent.
template <class T>
struct PredictionAttention {
  using Scalar = T;
  struct Params {
    int64_t heads = 0;
    Tensor<const T> context;  // (B, S + lead, 3 D), of which k and v are read
    int64_t lead = 0;         // context tokens before the first observed one
    int64_t first_query = 0;
  };
  struct Grads {
    Tensor<T> context;  // (B, S + lead, 3 D), of which k and v are added to
  };
  using Saved = AttentionSaved<T>;

  // x (B, Q, 3 D), y (B, Q, D).
  static void forward(const Params& params, Tensor<const T> x, Tensor<T> y, Saved& saved);
  static void vjp(const Params& params, const Saved& saved, Tensor<const T> y_bar, Tensor<T> x_bar,
                  Write write, Grads* grads);
  static void jvp(const Params& params, Saved& saved, Tensor<const T> x_dot, Tensor<T> y_dot);
  // `grads` may not be null: the second-order sweep always trains.
  static void vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot,
                         Tensor<const T> delta, Tensor<T> x_bar, Write write, Grads* grads);
  // vjp and vjp_of_jvp in one visit, for layer.h's second_order.
  static void second_order(const Params& params, const Saved& saved, Tensor<const T> x_dot,
                           Tensor<const T> delta, Tensor<const T> y_bar, Tensor<T> x_bar,
                           Write write, Grads* grads);
};

}  // namespace ebt
