// All tensors of a model of whole answers by role: its weights (P = const T) or their gradients (P
// = T).
#pragma once

#include <vector>

#include "ebt/model/infill_config.h"
#include "ebt/model/weights.h"

namespace ebt {

template <class P>
struct InfillWeights : TextWeights<P> {
  Tensor<P> known;              // (2, D): of tokens that are asked for, and of those that are given
  std::vector<Tensor<P>> axes;  // (size, D) of every axis
};

// Every tensor of the model; blocks and what is above them under the published names of text.
ParameterLayout infill_model_layout(const InfillModelConfig& config);

template <class P, class Block>
InfillWeights<P> infill_weights(const InfillModelConfig& config, Block& parameters);

// A model's weights as its products take them.
template <class T, class S>
class InfillOperands : public OperandWeights<T, S> {
 public:
  InfillOperands(const InfillModelConfig& config, const InfillWeights<const T>& weights)
      : OperandWeights<T, S>(config, weights), values_(weights) {}
  static size_t bytes(const InfillModelConfig& config) {
    return OperandWeights<T, S>::bytes(config, config.vocab_size);
  }
  const InfillWeights<const T>& values() const { return values_; }

 private:
  InfillWeights<const T> values_;
};

template <>
struct ModelRoles<InfillModelConfig> {
  template <class P>
  using Weights = InfillWeights<P>;
  template <class T, class S>
  using Operands = InfillOperands<T, S>;
  static ParameterLayout layout(const InfillModelConfig& config) {
    return infill_model_layout(config);
  }
  template <class P, class Block>
  static InfillWeights<P> by_role(const InfillModelConfig& config, Block& parameters) {
    return infill_weights<P>(config, parameters);
  }
};

}  // namespace ebt
