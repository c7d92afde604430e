#include "ebt/model/infill_weights.h"

#include <array>
#include <string>

namespace ebt {
namespace {

constexpr const char* kEnergyHeadName = "transformer.final_layer.weight";

std::string axis_name(size_t axis) { return "axes." + std::to_string(axis) + ".weight"; }

}  // namespace

ParameterLayout infill_model_layout(const InfillModelConfig& config) {
  ParameterLayout layout;
  if (config.arch == InfillArchitecture::kEbt) {
    layout.add(kStepSizeName, {}, false);
  }
  layout.add("vocab_to_embed.weight", {config.width, config.vocab_size});
  layout.add("known.weight", {2, config.width});
  const std::vector<RowAxis> axes = config.axes();
  for (size_t axis = 0; axis < axes.size(); ++axis) {
    layout.add(axis_name(axis), {axes[axis].size, config.width});
  }
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    add_block_parameters(config, layer, layout);
  }
  layout.add("transformer.norm.weight", {config.width});
  if (config.arch == InfillArchitecture::kEbt) {
    layout.add(kEnergyHeadName, {1, config.width});
  } else {
    layout.add("output.weight", {config.vocab_size, config.width});
  }
  return layout;
}

template <class P, class Block>
InfillWeights<P> infill_weights(const InfillModelConfig& config, Block& parameters) {
  InfillWeights<P> weights;
  weights.vocabulary = parameters.tensor("vocab_to_embed.weight");
  weights.known = parameters.tensor("known.weight");
  const size_t axes = config.axes().size();
  for (size_t axis = 0; axis < axes; ++axis) {
    weights.axes.push_back(parameters.tensor(axis_name(axis)));
  }
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    weights.blocks.push_back(block_weights<P>(config, layer, parameters));
  }
  weights.final_norm = parameters.tensor("transformer.norm.weight");
  if (config.arch == InfillArchitecture::kEbt) {
    weights.step_size = parameters.tensor(kStepSizeName);
    weights.energy_head = parameters.tensor(kEnergyHeadName);
  } else {
    weights.output = parameters.tensor("output.weight");
  }
  return weights;
}

template <class T, class S>
InfillOperands<T, S>::InfillOperands(const InfillModelConfig& /*config*/,
                                     const InfillWeights<const T>& weights)
    : values_(weights) {
  for (const BlockWeights<const T>& block : weights.blocks) {
    blocks_.push_back(
        block_matrices(block, [&](Tensor<const T> matrix) { return copies_.add(matrix); }));
  }
  vocabulary_ = {copies_.add(weights.vocabulary), false};
}

template <class T, class S>
size_t InfillOperands<T, S>::bytes(const InfillModelConfig& config) {
  const std::array<Shape, 1> vocabulary{Shape{config.width, config.vocab_size}};
  const auto bytes = OperandCopies<T, S>::bytes;
  return static_cast<size_t>(config.layers) * bytes(BlockShape(config).projections()) +
         bytes(vocabulary);
}

template class InfillOperands<float, float>;
template class InfillOperands<float, Bfloat16>;
template class InfillOperands<double, double>;

#define EBT_INSTANTIATE(T)                                                                \
  template InfillWeights<T> infill_weights(const InfillModelConfig&, ParameterBlock<T>&); \
  template InfillWeights<const T> infill_weights(const InfillModelConfig&,                \
                                                 const ParameterBlock<T>&);
EBT_INSTANTIATE(float)
EBT_INSTANTIATE(double)
#undef EBT_INSTANTIATE

}  // namespace ebt
