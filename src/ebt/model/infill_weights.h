// All tensors of a model of whole answers by role: its weights (P = const T) or their gradients (P
// = T).
#pragma once

#include <vector>

#include "ebt/layers/vocabulary.h"
#include "ebt/model/block.h"
#include "ebt/model/infill_config.h"
#include "ebt/model/model_shell.h"
#include "ebt/model/operand_copies.h"
#include "ebt/model/parameters.h"

namespace ebt {

template <class P>
struct InfillWeights {
  Tensor<P> vocabulary;         // (D, V)
  Tensor<P> known;              // (2, D): of tokens that are asked for, and of those that are given
  std::vector<Tensor<P>> axes;  // (size, D) of every axis
  std::vector<BlockWeights<P>> blocks;
  Tensor<P> final_norm;   // (D)
  Tensor<P> energy_head;  // (1, D) of an EBT
  Tensor<P> output;       // (V, D) of its rivals
  Tensor<P> step_size;    // () of an EBT: alpha
};

// Every tensor of the model; blocks and what is above them under the published names of text.
ParameterLayout infill_model_layout(const InfillModelConfig& config);

template <class P, class Block>
InfillWeights<P> infill_weights(const InfillModelConfig& config, Block& parameters);

// A model's weights as its products take them.
template <class T, class S>
class InfillOperands {
 public:
  InfillOperands(const InfillModelConfig& config, const InfillWeights<const T>& weights);
  // Bytes of the copies.
  static size_t bytes(const InfillModelConfig& config);

  const InfillWeights<const T>& values() const { return values_; }
  const BlockMatrices<kernels::WeightMatrix<T, S>>& block(size_t layer) const {
    return blocks_[layer];
  }
  const VocabularyMatrix<kernels::WeightMatrix<T, S>>& vocabulary() const { return vocabulary_; }
  // Copies the weights anew, after they have changed.
  void refresh() { copies_.refresh(); }

 private:
  OperandCopies<T, S> copies_;
  InfillWeights<const T> values_;
  std::vector<BlockMatrices<kernels::WeightMatrix<T, S>>> blocks_;
  VocabularyMatrix<kernels::WeightMatrix<T, S>> vocabulary_;
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
