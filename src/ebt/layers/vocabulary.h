// The two ends of a thinking step on text. W is the (V, D) vocabulary matrix.
//
// EmbedPrediction, logits to an embedding: p = softmax(z), or z itself when not normalised; y = p
// W.
//   forward     p = softmax(z)                  y     = p W
//   vjp         p_bar = y_bar W^T               z_bar = p (p_bar - p.p_bar)    W_bar += p^T y_bar
//   jvp         p_dot = p (z_dot - p.z_dot)     y_dot = p_dot W
//   vjp_of_jvp  p_bar = delta W^T               z_bar = the softmax's second-order rule of
//                                               <p_bar, p_dot>             W_bar += p_dot^T delta
//
// DescendLogits, energy gradient to new logits: y = p - step clamp(x W^T, +-bound), a step of the
// descent in the space of p, or of mirror descent from logits in p's place. M masks the entries
// that are not clamped.
//   forward     g = x W^T                       y     = p - step clamp(g)
//   vjp         g_bar = -step M y_bar           x_bar = g_bar W                W_bar += g_bar^T x
//   jvp         y_dot = -step M (x_dot W^T)
//   vjp_of_jvp  x_bar = 0                       W_bar += (-step M delta)^T x_dot
#pragma once

#include <concepts>

#include "ebt/layers/layer.h"

namespace ebt {

// W in either of its stored forms; M is a tensor or the right factor of products.
template <class M>
struct VocabularyMatrix {
  M weight;
  bool tied = false;  // weight is the token embedding (V, D); else vocab_to_embed.weight (D, V)
};

// T computes; p, y and y_bar are stored as S, logits and their cotangents are in T.
template <class T, class S = T>
struct EmbedPrediction {
  using Scalar = T;
  using Matrix = VocabularyMatrix<kernels::WeightMatrix<T, S>>;
  struct Params {
    Matrix matrix;
    bool normalize = true;
    // (N) tokens of predictions that are given: p is one-hot there whatever x is, and so its
    // derivatives are 0. Negative where nothing is given; absent where nothing ever is.
    Tensor<const int32_t> given = {};
  };
  struct Grads {
    Tensor<T> weight;
  };
  struct Saved {
    Tensor<S> p;       // (N, V): memory that the caller provides to forward
    Tensor<T> p_work;  // (N, V): memory for p_bar and p_dot in the other rules
  };

  // x (N, V), y (N, D) in T. p may be x, p_work may be x_bar where x_bar is replaced.
  static void forward(const Params& params, Tensor<const T> x, Tensor<T> y, Saved& saved);
  static void vjp(const Params& params, const Saved& saved, Tensor<const S> y_bar, Tensor<T> x_bar,
                  Write write, Grads* grads);
  static void jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot,
                  Tensor<T> y_dot) requires std::same_as<T, S>;
  static void vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot,
                         Tensor<const T> delta, Tensor<T> x_bar, Write write,
                         Grads* grads) requires std::same_as<T, S>;

  // W_bar += p^T y_bar alone: what a detached step needs of vjp.
  static void vjp_of_weight(const Params& params, Tensor<const S> p, Tensor<const S> y_bar,
                            Grads* grads);
};

// T computes; p, x and g_bar are stored as S.
template <class T, class S = T>
struct DescendLogits {
  using Scalar = T;
  using Matrix = VocabularyMatrix<kernels::WeightMatrix<T, S>>;
  struct Params {
    Matrix matrix;
    Tensor<const S> p;            // (N, V) where the step starts, unless there are logits
    Tensor<const T> step;         // (N) step sizes
    Tensor<const T> bound;        // (N) largest entry of the gradient, or absent
    Tensor<const T> logits = {};  // (N, V) where the step starts
  };
  struct Grads {
    Tensor<T> weight;
  };
  struct Saved {
    Tensor<const S> x;
    Tensor<T> g;       // (N, V): memory that the caller provides to forward; needed later if bound
    Tensor<S> g_work;  // (N, V): memory for g_bar; may be y_bar, which is then overwritten
  };

  // x (N, D), y (N, V), which may be the logits. g may be y where there are neither bound nor
  // logits.
  static void forward(const Params& params, Tensor<const S> x, Tensor<T> y, Saved& saved);
  static void vjp(const Params& params, const Saved& saved, Tensor<const T> y_bar, Tensor<T> x_bar,
                  Write write, Grads* grads);
  static void jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot,
                  Tensor<T> y_dot) requires std::same_as<T, S>;
  static void vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot,
                         Tensor<const T> delta, Tensor<T> x_bar, Write write,
                         Grads* grads) requires std::same_as<T, S>;
};

}  // namespace ebt
