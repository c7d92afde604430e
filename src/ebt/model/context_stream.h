// What was observed, tokens or vectors, as an ordinary causal transformer: forward and vjp.
//
// An energy model runs it once per landscape and keeps only keys and values, so its last block
// stops at those; a baseline runs it to the end.
#pragma once

#include <vector>

#include "ebt/core/arena.h"
#include "ebt/layers/embedding.h"
#include "ebt/model/block.h"
#include "ebt/model/landscape.h"

namespace ebt {

// What the vjp of a context finds of the forward pass.
enum class Keep {
  kKeys,    // nothing but keys and values: for inference
  kAll,     // every block's values
  kStream,  // keys, values and the residual stream; the rest of a block is computed again
};

// What a context reads: one of both.
template <class T>
struct ContextInput {
  Tensor<const int32_t> tokens = {};  // (B, S)
  Tensor<const T> vectors = {};       // (B, S, D), which are data: they have no cotangents

  int64_t length() const { return tokens ? tokens.dim(1) : vectors.dim(1); }
};

// Memory that several contexts of one shape use in turn.
template <class T, class S>
struct ContextWork {
  BlockWork<S> blocks;
  BlockValues<S> values;  // of one block, where they are not kept
  Tensor<T> embedded;     // (B, S, D), then its cotangent; absent without lead
  Tensor<T> stream;       // (B, S + lead, D)
  // For vjp.
  BlockCotangents<S> bar;
  Tensor<S> output_bar, below;  // (B, S + lead, D)
  Tensor<T> again;              // (B, S + lead, D), for Keep::kStream

  static ContextWork take(Arena& arena, const SequenceConfig& config, int64_t batch,
                          int64_t context, Keep keep);
};

template <class T, class S>
class ContextStream {
 public:
  // For (batch, context) tokens.
  ContextStream(Arena& arena, const SequenceConfig& config, int64_t batch, int64_t context,
                Keep keep, const ContextWork<T, S>& work);

  // Runs the input under `landscape` and zeroes the cotangents of keys and values.
  void forward(const SequenceOperandViews<T, S>& weights, const LandscapeVectors<T>& vectors,
               const RotaryTable<T>& rotary, const ContextInput<T>& input, int64_t landscape);
  // The parameters' gradients, from the cotangents left in keys_bar (energy model) or output_bar
  // (baseline, where the last block is whole; its rounded copy in output_bar_stored).
  void vjp(const SequenceOperandViews<T, S>& weights, const LandscapeVectors<T>& vectors,
           const RotaryTable<T>& rotary, const SequenceWeights<T>& grads);

  // (B, S + lead, 3 D): q (unused), k, v of a block.
  Tensor<const S> keys(int64_t layer) const { return trace(layer).values.qkv; }
  Tensor<T> keys_bar(int64_t layer) const {  // (B, S + lead, 2 D)
    return keys_bar_[static_cast<size_t>(layer)];
  }
  // The stream after the last block, then its cotangent: (B, S, D).
  Tensor<T> output() const { return work_.stream; }
  Tensor<S> output_bar_stored() const { return work_.output_bar; }

 private:
  using ContextBlock = Block<T, S, ContextAttention<T, S>, TextStyle>;
  const BlockTrace<T, S>& trace(int64_t layer) const { return traces_[static_cast<size_t>(layer)]; }
  bool stops_at_keys(int64_t layer) const {
    return config_.arch == Architecture::kEbt && layer + 1 == config_.layers;
  }
  typename ContextBlock::Params params(const SequenceOperandViews<T, S>& weights,
                                       const LandscapeVectors<T>& vectors,
                                       const RotaryTable<T>& rotary, int64_t layer) const;
  void run_block(const typename ContextBlock::Params& block, int64_t layer, Tensor<T> stream);

  SequenceConfig config_;
  Keep keep_;
  ContextWork<T, S> work_;
  ContextInput<T> input_;
  int64_t landscape_ = 0;
  std::vector<BlockTrace<T, S>> traces_;
  std::vector<Tensor<T>> streams_;  // (B, S + lead, D) before each block, for Keep::kStream
  std::vector<Tensor<T>> keys_bar_;
};

}  // namespace ebt
