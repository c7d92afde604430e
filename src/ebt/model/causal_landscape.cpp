#include "ebt/model/causal_landscape.h"

namespace ebt {

template <class T, class S>
typename PredictionStream<T, S>::Params CausalLandscape<T, S>::params() const {
  const SequenceWeights<const T>& values = weights.values;
  const LandscapeVectors<T>& vectors = context.vectors;
  const auto eps = static_cast<T>(config.norm_eps);
  const int64_t lead = config.lead();
  typename PredictionStream<T, S>::Params all;
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    all.stack.blocks.push_back(
        {weights.blocks[static_cast<size_t>(layer)],
         vectors.half(values, layer, 0),
         vectors.half(values, layer, 1),
         rotary.stream(config.heads, first_query + lead + 1, queries),
         {config.heads, context.stream.keys(layer), lead, first_query, first_row},
         eps});
  }
  const HalfModulation<const T> head = vectors.head(values);
  all.stack.norm = {head.gain, eps, head.shift};
  all.head = values.energy_head;
  return all;
}

template <class T, class S>
typename PredictionStream<T, S>::Grads CausalLandscape<T, S>::grads(
    const SequenceWeights<T>& grads) const {
  const LandscapeVectors<T>& vectors = context.vectors;
  typename PredictionStream<T, S>::Grads all;
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    all.stack.blocks.push_back({grads.blocks[static_cast<size_t>(layer)],
                                vectors.half_bar(grads, layer, 0),
                                vectors.half_bar(grads, layer, 1),
                                {context.stream.keys_bar(layer)}});
  }
  const HalfModulation<T> head = vectors.head_bar(grads);
  all.stack.norm = {head.gain, head.shift};
  all.head = grads.energy_head;
  return all;
}

template struct CausalLandscape<float, float>;
template struct CausalLandscape<float, Bfloat16>;
template struct CausalLandscape<double, double>;

}  // namespace ebt
