// The candidates: their energies, the gradient that thinking follows, and the tangents that its
// training needs.
//
// A prediction at position t reads the context's keys and values 0..t and itself, and no other
// prediction. Its rules, from the embedded candidates e (B, Q, D):
//   forward         energy = E(e), one per candidate
//   input_gradient  u      = d(sum of energies)/de, keeping every point's cotangent (delta)
//   tangent         E_dot along e_dot, keeping every point's tangent
//   sweep           e_bar  = d<u, e_dot>/de + J^T energy_bar, and all parameter gradients
#pragma once

#include <vector>

#include "ebt/core/arena.h"
#include "ebt/model/block.h"
#include "ebt/model/context_stream.h"
#include "ebt/model/landscape.h"

namespace ebt {

// Everything that the rules share about where they run.
template <class T>
struct EnergyLandscape {
  const TextWeights<const T>& weights;
  const LandscapeVectors<T>& vectors;
  const RotaryTable<T>& rotary;
  ContextStream<T>& context;
  int64_t first_query = 0;  // position in the sequence of the first candidate's prefix end
};

// Values, cotangents or tangents of the last norm and the energy head.
template <class T>
struct HeadValues {
  Tensor<T> normed;     // (B, Q, D)
  Tensor<T> modulated;  // (B, Q, D)
  Tensor<T> energy;     // (B, Q, 1)

  static HeadValues take(Arena& arena, const ModelConfig& config, int64_t batch, int64_t queries);
};

// Memory that the sweeps of several traces share: tangents of all blocks, and cotangents of one.
template <class T>
struct SweepSpace {
  std::vector<BlockValues<T>> dot;
  HeadValues<T> head_dot;
  BlockValues<T> bar;
  HeadValues<T> head_bar;

  static SweepSpace take(Arena& arena, const ModelConfig& config, int64_t batch, int64_t queries);
};

// One forward pass of the prediction stream and its inner gradient.
template <class T>
class PredictionStream {
 public:
  // For (batch, queries) candidates. `training` keeps the cotangents of every block for the sweep.
  PredictionStream(Arena& arena, const ModelConfig& config, int64_t batch, int64_t queries,
                   bool training);

  Tensor<T> embedded() const { return traces_.front().values.input; }  // e: the caller fills it
  Tensor<const T> gradient() const { return gradient_; }               // u (B, Q, D)

  // energy (B, Q).
  Tensor<const T> forward(const EnergyLandscape<T>& at);
  void input_gradient(const EnergyLandscape<T>& at);
  // The ordinary vjp of the energies, with parameter gradients: e_bar = J^T energy_bar. For a
  // term of the loss on the energies of candidates that are not thought about.
  void vjp(const EnergyLandscape<T>& at, Tensor<const T> energy_bar, SweepSpace<T>& space,
           const TextWeights<T>& grads, Tensor<T> e_bar);
  // After input_gradient: the derivative of <u, e_dot> plus that of energy_bar (absent: none) with
  // respect to e, the weights and the context's keys and values. e_bar is replaced, grads added to.
  // e_dot is only read, but becomes part of the tangents in `space`.
  void sweep(const EnergyLandscape<T>& at, Tensor<T> e_dot, Tensor<const T> energy_bar,
             SweepSpace<T>& space, const TextWeights<T>& grads, Tensor<T> e_bar);

 private:
  using PredictionBlock = Block<T, PredictionAttention<T>>;
  typename PredictionBlock::Params params(const EnergyLandscape<T>& at, int64_t layer) const;
  typename PredictionBlock::Grads block_grads(const EnergyLandscape<T>& at,
                                              const TextWeights<T>& grads, int64_t layer) const;
  typename Modulation<T>::Params head_modulation(const EnergyLandscape<T>& at) const;
  void head_down(const EnergyLandscape<T>& at, const HeadValues<T>* dot,
                 const BlockValues<T>* top_dot, const HeadValues<T>& bar, Tensor<T> top_bar,
                 const TextWeights<T>& grads);
  void tangent(const EnergyLandscape<T>& at, Tensor<T> e_dot, SweepSpace<T>& space);

  ModelConfig config_;
  std::vector<BlockTrace<T>> traces_;
  typename RmsNorm<T>::Saved final_norm_;
  HeadValues<T> head_;
  std::vector<BlockValues<T>> delta_;
  HeadValues<T> head_delta_;
  Tensor<T> gradient_;
};

}  // namespace ebt
