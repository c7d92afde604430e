// The vectors by which a condition shifts, scales and gates the blocks of an image model (adaLN;
// Peebles and Xie, 2023): for each block, and for the head, a linear function of silu(c), in parts
// of D. A condition belongs to all images of an EBT, or to each image of DiT; it is no candidate,
// so it has no tangent.
#pragma once

#include <vector>

#include "ebt/core/arena.h"
#include "ebt/model/block.h"

namespace ebt {

// A linear layer with bias that makes a condition's modulation vector.
template <class P>
struct ModulationWeights {
  Tensor<P> weight;  // (6 D, D) of a block, (2 D, D) of the head; absent without adaLN
  Tensor<P> bias;
};

template <class T>
class Modulation {
 public:
  // For `groups` conditions.
  Modulation(Arena& arena, int64_t layers, int64_t width, int64_t groups);

  // Makes the vectors of conditions (G, D) and zeroes their cotangents. `weights` are those of the
  // blocks, then the head's.
  void forward(const std::vector<ModulationWeights<const T>>& weights, Tensor<const T> conditions);
  // Adds the parameters' gradients, and the conditions' to conditions_bar (G, D), from what the
  // blocks and the head have left in the cotangents.
  void vjp(const std::vector<ModulationWeights<const T>>& weights,
           const std::vector<ModulationWeights<T>>& grads, Tensor<T> conditions_bar);

  // Half 0 is the attention's, half 1 the feed-forward network's; the head's norm has no gate.
  HalfModulation<const T> half(int64_t layer, int half) const;
  HalfModulation<const T> head() const;
  HalfModulation<T> half_bar(int64_t layer, int half) const;
  HalfModulation<T> head_bar() const;

 private:
  int64_t width_ = 0;
  Tensor<const T> conditions_;
  Tensor<T> active_, active_bar_;          // (G, D): silu(c)
  std::vector<Tensor<T>> vectors_, bars_;  // (G, 6 D) of each block, (G, 2 D) of the head
};

}  // namespace ebt
