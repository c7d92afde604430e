// The parameters of an energy landscape: the token before its context, or the vectors that modulate
// its blocks. It belongs to a thinking step, not to a candidate, so it has no tangent.
#pragma once

#include "ebt/core/arena.h"
#include "ebt/model/block.h"
#include "ebt/model/config.h"
#include "ebt/model/sequence_weights.h"

namespace ebt {

// The adaLN vectors of the current landscape: for each block, and for the head, a linear function
// of silu(w) for the landscape's vector w, in parts of D. Scales act through the gains of norms.
// Without adaLN a norm's gain is its weight, and there is nothing here.
template <class T>
class LandscapeVectors {
 public:
  LandscapeVectors(Arena& arena, const SequenceConfig& config);

  // Makes the vectors of `landscape` and zeroes their cotangents.
  void forward(const SequenceWeights<const T>& weights, int64_t landscape);
  // Adds the parameters' gradients, from what the blocks and the head have left in the cotangents.
  void vjp(const SequenceWeights<const T>& weights, const SequenceWeights<T>& grads) const;

  // Half 0 is the attention's, half 1 the FFN's; the head's norm has no gate.
  HalfModulation<const T> half(const SequenceWeights<const T>& weights, int64_t layer,
                               int half) const;
  HalfModulation<const T> head(const SequenceWeights<const T>& weights) const;
  HalfModulation<T> half_bar(const SequenceWeights<T>& grads, int64_t layer, int half) const;
  HalfModulation<T> head_bar(const SequenceWeights<T>& grads) const;

 private:
  // A norm and where its shift lies: norms 2 l and 2 l + 1 are those of block l, the last the
  // head's.
  int64_t norms() const { return 2 * layers_ + 1; }
  Tensor<T> gain(Tensor<T> all, int64_t norm) const { return all.slice(norm * width_, width_); }
  // Part `which` (shift, scale, gate) of a norm in `all`.
  Tensor<T> part(Tensor<T> all, int64_t norm, int64_t which) const {
    return all.slice((3 * norm + which) * width_, width_);
  }
  // The vector of a block, or of the head (layer L).
  Tensor<T> vector(Tensor<T> all, int64_t layer) const {
    return all.slice(6 * layer * width_, (layer == layers_ ? 2 : 6) * width_);
  }
  HalfModulation<T> modulation(Tensor<T> gains, Tensor<T> vectors, int64_t norm) const;

  int64_t layers_ = 0;
  int64_t width_ = 0;
  int64_t landscape_ = 0;
  Tensor<T> vectors_;  // (6 D L + 2 D)
  Tensor<T> bars_;
  Tensor<T> gains_;  // (D (2 L + 1)): norm weight (1 + scale)
  Tensor<T> gain_bars_;
  Tensor<T> active_, active_bar_;  // (1, D): silu(w)
};

}  // namespace ebt
