// Attention: causal, over rotated queries and keys, in the two streams of an energy model of
// sequences, or bidirectional, in one of images. qkv rows hold q, k, v of every token; p is the
// softmax of s = scale q.k over what a query sees, scale = d^-1/2.
//
//   forward     o     = sum p v
//   vjp         s_bar = p (o_bar.v - o_bar.o):  q_bar = scale s_bar k, k_bar = scale s_bar^T q,
//               v_bar = p^T o_bar
//   jvp         s_dot = scale (q_dot.k + q.k_dot), m = sum p s_dot:
//               o_dot = sum p (s_dot - m) v + p v_dot
//   vjp_of_jvp  the gradient of cov_p(s_dot, delta.v) + mean_p(delta.v_dot)
// Derived in docs/derivations.md. No rule holds an S x S matrix.
//
// T computes, S is what activations are stored as: (double, double), (float, float) or (float,
// Bfloat16). Cotangents of keys and values, which several passes share, are summed in T.
#pragma once

#include <type_traits>

#include "ebt/core/arena.h"
#include "ebt/core/bfloat16.h"
#include "ebt/layers/layer.h"

namespace ebt {

// What all streams record for their later rules. The caller provides all memory but qkv.
template <class T, class S = T>
struct AttentionSaved {
  Tensor<const S> qkv;  // (B, S, 3 D)
  Tensor<S> o;          // (B, S, D)
  Tensor<T> log_sum;    // (B, S, H)
  Tensor<S> o_dot;      // (B, S, D) recorded by jvp for vjp_of_jvp
  Tensor<T> mean_dot;   // (B, S, H) likewise
};

// The context stream: token t attends to tokens 0..t. Where S is not T there are only `forward` and
// `vjp_apart`.
template <class T, class S = T>
struct ContextAttention {
  using Scalar = S;
  struct Params {
    int64_t heads = 0;
  };
  struct Grads {};
  using Saved = AttentionSaved<T, S>;

  // x (B, S, 3 D), y (B, S, D).
  static void forward(const Params& params, Tensor<const S> x, Tensor<S> y, Saved& saved);
  // The cotangent of q replaces its third of x_bar (B, S, 3 D), whose other parts stay as they
  // are; those of k and v are added to keys_bar (B, S, 2 D).
  static void vjp_apart(const Params& params, const Saved& saved, Tensor<const S> y_bar,
                        Tensor<S> x_bar, Tensor<T> keys_bar);
  static void vjp(const Params& params, const Saved& saved, Tensor<const S> y_bar, Tensor<S> x_bar,
                  Write write, Grads* grads) requires std::is_same_v<S, T>;
  static void jvp(const Params& params, Saved& saved, Tensor<const S> x_dot,
                  Tensor<S> y_dot) requires std::is_same_v<S, T>;
  static void vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const S> x_dot,
                         Tensor<const S> delta, Tensor<S> x_bar, Write write,
                         Grads* grads) requires std::is_same_v<S, T>;
};

// The prediction stream: query t, at sequence position first_query + t, attends to context tokens
// 0..first_query + t + lead and to itself. The context enters as a parameter: it has cotangents
// but, not depending on the candidate, no tangent. Queries may be some of the context's sequences:
// sequence b of x belongs to sequence first_row + b of the context.
template <class T, class S = T>
struct PredictionAttention {
  using Scalar = S;
  struct Params {
    int64_t heads = 0;
    Tensor<const S> context;  // (C, S + lead, 3 D), of which k and v are read
    int64_t lead = 0;         // context tokens before the first observed one
    int64_t first_query = 0;
    int64_t first_row = 0;
  };
  struct Grads {
    Tensor<T> context;  // (C, S + lead, 2 D), of k then v, added to; may be absent in vjp
  };
  using Saved = AttentionSaved<T, S>;

  // x (B, Q, 3 D), y (B, Q, D).
  static void forward(const Params& params, Tensor<const S> x, Tensor<S> y, Saved& saved);
  static void vjp(const Params& params, const Saved& saved, Tensor<const S> y_bar, Tensor<S> x_bar,
                  Write write, Grads* grads);
  static void jvp(const Params& params, Saved& saved, Tensor<const S> x_dot, Tensor<S> y_dot);
  // `grads` may not be null: the second-order sweep always trains.
  static void vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const S> x_dot,
                         Tensor<const S> delta, Tensor<S> x_bar, Write write, Grads* grads);
  // vjp and vjp_of_jvp in one visit, for layer.h's second_order.
  static void second_order(const Params& params, const Saved& saved, Tensor<const S> x_dot,
                           Tensor<const S> delta, Tensor<const S> y_bar, Tensor<S> x_bar,
                           Write write, Grads* grads);
};

// Every token attends to all tokens of its own stream.
template <class T, class S = T>
struct BidirectionalAttention {
  using Scalar = S;
  struct Params {
    int64_t heads = 0;
  };
  struct Grads {};
  using Saved = AttentionSaved<T, S>;

  // x (B, S, 3 D), y (B, S, D).
  static void forward(const Params& params, Tensor<const S> x, Tensor<S> y, Saved& saved);
  static void vjp(const Params& params, const Saved& saved, Tensor<const S> y_bar, Tensor<S> x_bar,
                  Write write, Grads* grads);
  static void jvp(const Params& params, Saved& saved, Tensor<const S> x_dot, Tensor<S> y_dot);
  static void vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const S> x_dot,
                         Tensor<const S> delta, Tensor<S> x_bar, Write write, Grads* grads);
  // vjp and vjp_of_jvp in one visit, for layer.h's second_order; an absent y_bar is zero.
  static void second_order(const Params& params, const Saved& saved, Tensor<const S> x_dot,
                           Tensor<const S> delta, Tensor<const S> y_bar, Tensor<S> x_bar,
                           Write write, Grads* grads);
};

}  // namespace ebt
