// The observed tokens as an ordinary causal transformer: forward and vjp.
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

template <class T>
class ContextStream {
 public:
  // For (batch, context) tokens. `training` keeps what vjp needs.
  ContextStream(Arena& arena, const ModelConfig& config, int64_t batch, int64_t context,
                bool training);

  // Runs tokens (B, S) under `landscape` and zeroes the cotangents of keys and values.
  void forward(const TextWeights<const T>& weights, const LandscapeVectors<T>& vectors,
               const RotaryTable<T>& rotary, Tensor<const int32_t> tokens, int64_t landscape);
  // The parameters' gradients, from the cotangents left in keys_bar (energy model) or output_bar
  // (baseline, where the last block is whole).
  void vjp(const TextWeights<const T>& weights, const LandscapeVectors<T>& vectors,
           const RotaryTable<T>& rotary, const TextWeights<T>& grads);

  // (B, S + lead, 3 D): q (unused), k, v of a block.
  Tensor<const T> keys(int64_t layer) const { return trace(layer).values.qkv; }
  Tensor<T> keys_bar(int64_t layer) const { return keys_bar_[static_cast<size_t>(layer)]; }
  Tensor<const T> output() const { return traces_.back().values.output; }  // (B, S, D)
  Tensor<T> output_bar() const { return bar_.output; }

 private:
  using ContextBlock = Block<T, ContextAttention<T>>;
  const BlockTrace<T>& trace(int64_t layer) const { return traces_[static_cast<size_t>(layer)]; }
  typename ContextBlock::Params params(const TextWeights<const T>& weights,
                                       const LandscapeVectors<T>& vectors,
                                       const RotaryTable<T>& rotary, int64_t layer) const;

  ModelConfig config_;
  Tensor<const int32_t> tokens_;
  int64_t landscape_ = 0;
  Tensor<T> embedded_;  // (B, S, D)
  Tensor<T> embedded_bar_;
  Tensor<T> input_;  // (B, S + lead, D)
  std::vector<BlockTrace<T>> traces_;
  std::vector<Tensor<T>> keys_bar_;
  BlockValues<T> bar_;  // of one block at a time; input and output trade places going down
};

}  // namespace ebt
