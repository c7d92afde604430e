#include "ebt/think/text_thinking.h"

namespace ebt {

template <class T>
Tensor<const T> energy_of(const ModelConfig& config, const EnergyLandscape<T>& at,
                          Tensor<const T> logits, TextStep<T>& step) {
  typename EmbedPrediction<T>::Saved saved{step.p, {}};
  EmbedPrediction<T>::forward({at.weights.vocabulary, config.normalize}, logits,
                              as_rows(step.stream.embedded()), saved);
  step.energy = step.stream.forward(at);
  return step.energy;
}

template <class T>
void think_once(const ModelConfig& config, const EnergyLandscape<T>& at, Tensor<const T> logits,
                const StepSizes<T>& sizes, TextStep<T>& step) {
  energy_of(config, at, logits, step);
  step.stream.input_gradient(at);
  typename DescendLogits<T>::Saved saved{{}, step.g, {}};
  DescendLogits<T>::forward({at.weights.vocabulary, step.p, sizes.step, sizes.bound},
                            as_rows(step.stream.gradient()), step.next, saved);
}

template Tensor<const float> energy_of(const ModelConfig&, const EnergyLandscape<float>&,
                                       Tensor<const float>, TextStep<float>&);
template Tensor<const double> energy_of(const ModelConfig&, const EnergyLandscape<double>&,
                                        Tensor<const double>, TextStep<double>&);
template void think_once(const ModelConfig&, const EnergyLandscape<float>&, Tensor<const float>,
                         const StepSizes<float>&, TextStep<float>&);
template void think_once(const ModelConfig&, const EnergyLandscape<double>&, Tensor<const double>,
                         const StepSizes<double>&, TextStep<double>&);

}  // namespace ebt
