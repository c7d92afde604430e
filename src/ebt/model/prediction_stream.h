// The stream of candidate predictions: their energies, the gradient that thinking follows, and the
// second-order sweep that its training needs.
//
// A prediction at position t reads the context's keys and values 0..t and itself, and no other
// prediction: so any part of the predictions can be computed by itself. The rules, from the
// embedded candidates e (B, Q, D):
//   forward         energy = E(e), one per candidate
//   input_gradient  u      = d(sum of energies)/de, keeping every point's cotangent (delta)
//   sweep           e_bar  = d<u, e_dot>/de + J^T energy_bar, and all parameter gradients
#pragma once

#include <vector>

#include "ebt/core/arena.h"
#include "ebt/model/block.h"
#include "ebt/model/context_stream.h"
#include "ebt/model/landscape.h"

namespace ebt {

// Everything that the rules share about where they run.
template <class T, class S>
struct EnergyLandscape {
  const ModelWeights<T, S>& weights;
  const LandscapeVectors<T>& vectors;
  const RotaryTable<T>& rotary;
  ContextStream<T, S>& context;
  int64_t first_row = 0;    // sequence of the context that the first row of candidates belongs to
  int64_t first_query = 0;  // position in the sequence of the first candidate's prefix end
};

// Values, cotangents or tangents of the last norm and the energy head, which run in T.
template <class T>
struct HeadValues {
  Tensor<T> normed;  // (B, Q, D)
  Tensor<T> energy;  // (B, Q, 1)

  static HeadValues take(Arena& arena, const ModelConfig& config, int64_t batch, int64_t queries);
};

// Memory that the sweeps of several streams share: tangents of all blocks, cotangents of one.
template <class T, class S>
struct SweepSpace {
  std::vector<BlockValues<S>> dot;
  BlockCotangents<S> bar;
  Tensor<S> output_bar, below;  // (B, Q, D)
  HeadValues<T> head_dot, head_bar;

  static SweepSpace take(Arena& arena, const ModelConfig& config, int64_t batch, int64_t queries);
};

// One forward pass of the prediction stream and its inner gradient.
template <class T, class S>
class PredictionStream {
 public:
  // For (batch, queries) candidates. `training` keeps the cotangents of every block for the sweep.
  PredictionStream(Arena& arena, const ModelConfig& config, int64_t batch, int64_t queries,
                   bool training);

  // e: the caller fills it; forward leaves the stream after the last block there.
  Tensor<T> embedded() const { return stream_; }
  Tensor<const T> gradient() const { return gradient_; }                // u (B, Q, D)
  Tensor<const S> gradient_stored() const { return gradient_stored_; }  // the same, rounded

  // energy (B, Q).
  Tensor<const T> forward(const EnergyLandscape<T, S>& at);
  void input_gradient(const EnergyLandscape<T, S>& at);
  // The ordinary vjp of the energies, with parameter gradients: e_bar = J^T energy_bar, rounded.
  // For a term of the loss on the energies of candidates that are not thought about. e_bar is
  // memory for the way down.
  Tensor<const S> vjp(const EnergyLandscape<T, S>& at, Tensor<const T> energy_bar,
                      SweepSpace<T, S>& space, const TextWeights<T>& grads, Tensor<T> e_bar);
  // After input_gradient: the derivative of <u, e_dot> plus that of energy_bar (absent: none) with
  // respect to e, the weights and the context's keys and values, which are added to. Returns e_bar,
  // rounded. e_dot is overwritten; e_bar is memory for the way down.
  Tensor<const S> sweep(const EnergyLandscape<T, S>& at, Tensor<T> e_dot,
                        Tensor<const T> energy_bar, SweepSpace<T, S>& space,
                        const TextWeights<T>& grads, Tensor<T> e_bar);

 private:
  using PredictionBlock = Block<T, S, PredictionAttention<T, S>, TextStyle>;
  typename PredictionBlock::Params params(const EnergyLandscape<T, S>& at, int64_t layer) const;
  typename PredictionBlock::Grads block_grads(const EnergyLandscape<T, S>& at,
                                              const TextWeights<T>& grads, int64_t layer) const;
  typename RmsNorm<T>::Params head_norm(const EnergyLandscape<T, S>& at) const;
  // From bar.energy to the cotangent of the last block's output; with tangents, second order.
  void head_down(const EnergyLandscape<T, S>& at, const HeadValues<T>* dot, Tensor<const T> top_dot,
                 const HeadValues<T>& bar, Tensor<T> top_bar, const TextWeights<T>& grads);
  void tangent(const EnergyLandscape<T, S>& at, Tensor<T> e_dot, SweepSpace<T, S>& space);

  ModelConfig config_;
  Tensor<T> stream_;  // (B, Q, D)
  std::vector<BlockTrace<T, S>> traces_;
  typename RmsNorm<T>::Saved final_norm_;
  HeadValues<T> head_;
  BlockWork<S> work_;
  std::vector<BlockCotangents<S>> delta_;
  HeadValues<T> head_delta_;
  Tensor<T> gradient_;
  Tensor<S> gradient_stored_;
};

}  // namespace ebt
