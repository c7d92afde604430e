#include "ebt/model/sequence_weights.h"

#include <array>
#include <string>

namespace ebt {
namespace {

constexpr const char* kHeadModulation = "transformer.final_layer.adaLN_modulation.1.";

std::string block_modulation(int64_t layer) {
  return "transformer.layers." + std::to_string(layer) + ".adaLN_modulation.1.";
}

void add_modulation(const std::string& name, int64_t parts, int64_t width,
                    ParameterLayout& layout) {
  layout.add(name + "weight", {parts * width, width});
  layout.add(name + "bias", {parts * width});
}

const char* energy_head_name(const SequenceConfig& config) {
  return config.is_adaln() ? "transformer.final_layer.linear.weight"
                           : "transformer.final_layer.weight";
}

}  // namespace

void add_sequence_parameters(const SequenceConfig& config, ParameterLayout& layout) {
  const int64_t width = config.width;
  const bool energy = config.arch == Architecture::kEbt;
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    add_block_parameters(config, layer, layout);
    if (energy && config.is_adaln()) {
      add_modulation(block_modulation(layer), 6, width, layout);
    }
  }
  layout.add("transformer.norm.weight", {width});
  if (!energy) {
    return;
  }
  if (config.type != EbtType::kDefault) {
    layout.add("transformer.time_embeddings.weight", {config.landscapes, width});
  }
  if (config.is_adaln()) {
    add_modulation(kHeadModulation, 2, width, layout);
  }
  layout.add(energy_head_name(config), {1, width});
}

ParameterLayout text_model_layout(const TextModelConfig& config) {
  const bool energy = config.arch == Architecture::kEbt;
  ParameterLayout layout;
  if (energy) {
    layout.add(kStepSizeName, {}, false);
  }
  layout.add("embeddings.weight", {config.vocab_size, config.width});
  if (energy && !config.tied_vocabulary) {
    layout.add("vocab_to_embed.weight", {config.width, config.vocab_size});
  }
  add_sequence_parameters(config, layout);
  if (!energy) {
    layout.add("output.weight", {config.vocab_size, config.width});
  }
  return layout;
}

template <class P, class Block>
SequenceWeights<P> sequence_weights(const SequenceConfig& config, Block& parameters) {
  const auto modulation = [&](const std::string& name) {
    return ModulationWeights<P>{parameters.tensor(name + "weight"),
                                parameters.tensor(name + "bias")};
  };
  const bool energy = config.arch == Architecture::kEbt;
  SequenceWeights<P> weights;
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    weights.blocks.push_back(block_weights<P>(config, layer, parameters));
    weights.block_modulations.push_back(
        energy && config.is_adaln() ? modulation(block_modulation(layer)) : ModulationWeights<P>{});
  }
  weights.final_norm = parameters.tensor("transformer.norm.weight");
  if (!energy) {
    return weights;
  }
  weights.step_size = parameters.tensor(kStepSizeName);
  if (config.type != EbtType::kDefault) {
    weights.landscapes = parameters.tensor("transformer.time_embeddings.weight");
  }
  if (config.is_adaln()) {
    weights.head_modulation = modulation(kHeadModulation);
  }
  weights.energy_head = parameters.tensor(energy_head_name(config));
  return weights;
}

template <class P, class Block>
SequenceWeights<P> text_weights(const TextModelConfig& config, Block& parameters) {
  SequenceWeights<P> weights = sequence_weights<P>(config, parameters);
  weights.embeddings = parameters.tensor("embeddings.weight");
  if (config.arch != Architecture::kEbt) {
    weights.output = parameters.tensor("output.weight");
    return weights;
  }
  weights.vocabulary = {config.tied_vocabulary
                            ? weights.embeddings
                            : Tensor<P>(parameters.tensor("vocab_to_embed.weight")),
                        config.tied_vocabulary};
  return weights;
}

template <class T, class S>
SequenceOperands<T, S>::SequenceOperands(const SequenceConfig& config,
                                         const SequenceWeights<const T>& weights) {
  views_.values = weights;
  const bool energy = config.arch == Architecture::kEbt;
  for (const BlockWeights<const T>& block : weights.blocks) {
    views_.blocks.push_back(
        block_matrices(block, [&](Tensor<const T> matrix) { return copies_.add(matrix); }));
  }
  if (energy) {
    // Its last context block makes keys and values alone.
    views_.blocks.back().keys =
        copies_.add(weights.blocks.back().qkv.slice(config.width, 2 * config.width));
  }
  if (weights.vocabulary.weight) {
    views_.vocabulary = {copies_.add(weights.vocabulary.weight), weights.vocabulary.tied};
  }
  if (weights.output) {
    views_.output = copies_.add(weights.output);
  }
}

template <class T, class S>
size_t SequenceOperands<T, S>::bytes(const SequenceConfig& config, int64_t vocab_size) {
  const BlockShape block(config);
  const std::array<Shape, 2> others{block.key_projection(), {vocab_size, config.width}};
  const auto bytes = OperandCopies<T, S>::bytes;
  return static_cast<size_t>(config.layers) * bytes(block.projections()) + bytes(others);
}

template class SequenceOperands<float, float>;
template class SequenceOperands<float, Bfloat16>;
template class SequenceOperands<double, double>;

#define EBT_INSTANTIATE(T)                                                                 \
  template SequenceWeights<T> sequence_weights(const SequenceConfig&, ParameterBlock<T>&); \
  template SequenceWeights<const T> sequence_weights(const SequenceConfig&,                \
                                                     const ParameterBlock<T>&);            \
  template SequenceWeights<T> text_weights(const TextModelConfig&, ParameterBlock<T>&);    \
  template SequenceWeights<const T> text_weights(const TextModelConfig&, const ParameterBlock<T>&);
EBT_INSTANTIATE(float)
EBT_INSTANTIATE(double)
#undef EBT_INSTANTIATE

}  // namespace ebt
