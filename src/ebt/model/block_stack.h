// Blocks one above the other and the norm behind them, under the four rules: from embedded tokens
// e (B, N, D) to features (B, N, D).
#pragma once

#include <vector>

#include "ebt/core/arena.h"
#include "ebt/model/block.h"

namespace ebt {

// What of a forward pass is kept for later rules.
enum class StackUse {
  kForward,     // nothing
  kGradient,    // what vjp reads
  kSecondOrder  // and, of every block, the cotangents of vjp
};

// The sizes that the memory of a stack follows from.
struct StackShape {
  BlockShape block;
  int64_t layers;
  int64_t batch;   // B
  int64_t tokens;  // N

  Shape stream() const { return {batch, tokens, block.width}; }
};

// Memory that the second-order sweeps of several stacks share: tangents of all blocks, cotangents
// of one.
template <class T, class S>
struct SweepSpace {
  std::vector<BlockValues<S>> dot;
  BlockCotangents<S> bar;
  Tensor<S> output_bar, below;           // (B, N, D)
  Tensor<T> features_dot, features_bar;  // (B, N, D)
  Tensor<T> token_bar;                   // (B, N, 1)

  static SweepSpace take(Arena& arena, const StackShape& shape);
};

template <class T, class S, class Attention, class Style>
class BlockStack {
 public:
  using StackBlock = Block<T, S, Attention, Style>;
  using FinalNorm = typename Style::template Norm<T, T>;
  // Everything that the rules share about where they run.
  struct Params {
    std::vector<typename StackBlock::Params> blocks;
    NormParams<T> norm;
  };
  struct Grads {
    std::vector<typename StackBlock::Grads> blocks;
    NormGrads<T> norm;
  };

  BlockStack(Arena& arena, const StackShape& shape, StackUse use);

  // e: the caller fills it; forward leaves the stream above the last block there.
  Tensor<T> embedded() const { return stream_; }
  // The features, which stay valid until the next call.
  Tensor<const T> forward(const Params& params);
  // e_bar = J^T features_bar, into gradient(). With `grads`, parameters get theirs. features_bar
  // must stay as it is until a second_order that follows.
  void vjp(const Params& params, Tensor<const T> features_bar, Grads* grads);
  Tensor<const T> gradient() const { return gradient_; }                // (B, N, D)
  Tensor<const S> gradient_stored() const { return gradient_stored_; }  // the same, rounded
  // After vjp: the tangents of everything along e_dot, which is left as that of the stream above
  // the last block. Returns those of the features.
  Tensor<const T> jvp(const Params& params, Tensor<T> e_dot, SweepSpace<T, S>& space);
  // After jvp, whose e_dot is given back: the gradient of <features_bar of the last vjp,
  // features_dot> + <features_bar, features>, for parameters, which are added to, and e. Returns
  // the latter rounded; in T it is left in e_bar (B, N, D). features_bar may be absent.
  Tensor<const S> second_order(const Params& params, Tensor<const T> e_dot,
                               Tensor<const T> features_bar, SweepSpace<T, S>& space, Grads& grads,
                               Tensor<T> e_bar);

 private:
  Tensor<T> stream_, features_;  // (B, N, D)
  std::vector<BlockTrace<T, S>> traces_;
  NormSaved<T, T> final_norm_;
  BlockWork<S> work_;
  std::vector<BlockCotangents<S>> delta_;  // their memory is one block's unless second order
  Tensor<const T> features_delta_;
  Tensor<T> gradient_;
  Tensor<S> gradient_stored_;
};

}  // namespace ebt
