// What tells one energy landscape from another: the token before its context, or the vectors that
// modulate its blocks. It belongs to a thinking step, not to a candidate, so it has no tangent.
#pragma once

#include "ebt/core/arena.h"
#include "ebt/model/config.h"
#include "ebt/model/weights.h"

namespace ebt {

// The adaLN vectors of the current landscape: for each block, and for the head, a linear function
// of silu(w) for the landscape's vector w. Empty for other types.
template <class T>
class LandscapeVectors {
 public:
  LandscapeVectors(Arena& arena, const ModelConfig& config);

  // Makes the vectors of `landscape` and zeroes their cotangents.
  void forward(const TextWeights<const T>& weights, int64_t landscape);
  // Adds the parameters' gradients, from what the blocks and the head have left in the cotangents.
  void vjp(const TextWeights<const T>& weights, const TextWeights<T>& grads) const;

  Tensor<const T> block(int64_t layer) const { return part(vectors_, layer); }  // (6 D) or absent
  Tensor<const T> head() const { return part(vectors_, layers_); }              // (2 D) or absent
  Tensor<T> block_bar(int64_t layer) const { return part(bars_, layer); }
  Tensor<T> head_bar() const { return part(bars_, layers_); }

 private:
  Tensor<T> part(Tensor<T> all, int64_t layer) const;

  int64_t layers_ = 0;
  int64_t width_ = 0;
  int64_t landscape_ = 0;
  Tensor<T> vectors_;  // (6 D L + 2 D)
  Tensor<T> bars_;
};

}  // namespace ebt
