#include "ebt/model/infill_weights.h"

#include <string>

namespace ebt {
namespace {

std::string axis_name(size_t axis) { return "axes." + std::to_string(axis) + ".weight"; }

}  // namespace

ParameterLayout infill_model_layout(const InfillModelConfig& config) {
  ParameterLayout layout;
  if (config.arch == Architecture::kEbt) {
    layout.add(kStepSizeName, {}, false);
  }
  layout.add("vocab_to_embed.weight", {config.width, config.vocab_size});
  layout.add("known.weight", {2, config.width});
  const std::vector<RowAxis> axes = config.axes();
  for (size_t axis = 0; axis < axes.size(); ++axis) {
    layout.add(axis_name(axis), {axes[axis].size, config.width});
  }
  add_sequence_parameters(config, layout);
  if (config.arch != Architecture::kEbt) {
    layout.add("output.weight", {config.vocab_size, config.width});
  }
  return layout;
}

template <class P, class Block>
InfillWeights<P> infill_weights(const InfillModelConfig& config, Block& parameters) {
  InfillWeights<P> weights{sequence_weights<P>(config, parameters), {}, {}};
  weights.vocabulary = {parameters.tensor("vocab_to_embed.weight"), false};
  weights.known = parameters.tensor("known.weight");
  for (size_t axis = 0; axis < config.axes().size(); ++axis) {
    weights.axes.push_back(parameters.tensor(axis_name(axis)));
  }
  if (config.arch != Architecture::kEbt) {
    weights.output = parameters.tensor("output.weight");
  }
  return weights;
}

#define EBT_INSTANTIATE(T)                                                                \
  template InfillWeights<T> infill_weights(const InfillModelConfig&, ParameterBlock<T>&); \
  template InfillWeights<const T> infill_weights(const InfillModelConfig&,                \
                                                 const ParameterBlock<T>&);
EBT_INSTANTIATE(float)
EBT_INSTANTIATE(double)
#undef EBT_INSTANTIATE

}  // namespace ebt
