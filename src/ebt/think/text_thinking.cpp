#include "ebt/think/text_thinking.h"

#include "ebt/core/phase.h"

namespace ebt {

template <class T, class S>
Tensor<const T> energy_of(const ModelConfig& config, const EnergyLandscape<T, S>& at,
                          Tensor<const T> logits, TextStep<T, S>& step) {
  const PhaseScope scope(Phase::kVocabulary);
  typename EmbedPrediction<T, S>::Saved saved{step.p, {}};
  EmbedPrediction<T, S>::forward({at.weights.vocabulary, config.normalize}, logits,
                                 as_rows(step.stream.embedded()), saved);
  step.energy = step.stream.forward(at);
  return step.energy;
}

template <class T, class S>
void think_once(const ModelConfig& config, const EnergyLandscape<T, S>& at, Tensor<const T> logits,
                const StepSizes<T>& sizes, TextStep<T, S>& step) {
  energy_of(config, at, logits, step);
  step.stream.input_gradient(at);
  const PhaseScope scope(Phase::kVocabulary);
  typename DescendLogits<T, S>::Saved saved{{}, step.g, {}};
  DescendLogits<T, S>::forward({at.weights.vocabulary, step.p, sizes.step, sizes.bound},
                               as_rows(step.stream.gradient_stored()), step.next, saved);
}

#define EBT_INSTANTIATE(T, S)                                                                 \
  template Tensor<const T> energy_of(const ModelConfig&, const EnergyLandscape<T, S>&,        \
                                     Tensor<const T>, TextStep<T, S>&);                       \
  template void think_once(const ModelConfig&, const EnergyLandscape<T, S>&, Tensor<const T>, \
                           const StepSizes<T>&, TextStep<T, S>&);
EBT_INSTANTIATE(float, float)
EBT_INSTANTIATE(float, Bfloat16)
EBT_INSTANTIATE(double, double)
#undef EBT_INSTANTIATE

}  // namespace ebt
