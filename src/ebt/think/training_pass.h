// The gradient of training through thinking, for text.
//
// All modes share one sweep (PredictionStream::sweep). With v the loss's derivative by a step's new
// logits, t = -alpha v W is the tangent, and the step's share of every gradient is that of <u, t>,
// plus two outer products on W:
//   detached (S1)     each step is swept as soon as it is taken, in the same memory
//   not detached      all steps are kept, then swept from the last to the first, v passing through
//                     the softmax of each
//   truncated (S2)    only the last step is swept; earlier ones pass v on for alpha's sake alone
// Contexts are computed once for the whole batch, everything else chunk by chunk
// (text_workspace.h).
#pragma once

#include <functional>
#include <vector>

#include "ebt/model/text_model.h"
#include "ebt/think/text_workspace.h"

namespace ebt {

// The random numbers of one training step, as functions that make those of N positions from
// `first` on where they are needed.
template <class T>
struct ThinkingDraws {
  std::function<void(int64_t first, Tensor<T>)> initial;                 // (N, V) standard normal
  std::function<void(int64_t step, int64_t first, Tensor<T>)> langevin;  // (N, V) standard normal
  std::function<void(int64_t first, Tensor<T>)> step_size;               // (N) uniform in [0, 1)
  std::vector<int64_t> repeats;  // thinking steps on each landscape
};

// Sees every thinking step of a training pass: its number, the first of N positions, the logits
// that they end in (N, V), and the energies they started from (N).
template <class T>
using StepObserver = std::function<void(int64_t, int64_t, Tensor<const T>, Tensor<const T>)>;

// What a model lends to a pass.
template <class T, class S>
struct TextEbtParts {
  const ModelConfig& config;
  const ThinkingConfig& thinking;
  const ModelWeights<T, S>& weights;
  const TextWeights<T>& gradients;
  const RotaryTable<T>& rotary;

  double step_size() const;
  EnergyLandscape<T, S> landscape(TextContext<T, S>& context, const Chunk& chunk) const;
  // Fills the step sizes and bounds of `space`; `draw` is empty where nothing is random.
  void set_step_sizes(ChunkSpace<T, S>& space, const std::function<void(Tensor<T>)>& draw) const;
};

// Thinks about the rows, adds their gradients to model.gradients, and returns their losses.
// `observe` may be empty.
template <class T, class S>
LossSums train_pass(const TextEbtParts<T, S>& model, const TrainingRows<T>& rows,
                    const ThinkingDraws<T>& draws, const StepObserver<T>& observe,
                    TextWorkspace<T, S>& workspace);

}  // namespace ebt
