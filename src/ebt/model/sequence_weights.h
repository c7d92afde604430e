// All tensors of a model of sequences by role: its weights (P = const T) or their gradients (P =
// T). What a model has none of is absent.
#pragma once

#include <vector>

#include "ebt/layers/vocabulary.h"
#include "ebt/model/block.h"
#include "ebt/model/config.h"
#include "ebt/model/model_shell.h"
#include "ebt/model/modulation.h"
#include "ebt/model/operand_copies.h"
#include "ebt/model/parameters.h"

namespace ebt {

template <class P>
struct SequenceWeights {
  Tensor<P> embeddings;                    // (V, D) of a model of tokens
  VocabularyMatrix<Tensor<P>> vocabulary;  // of an EBT of tokens
  Tensor<P> landscapes;                    // (landscapes, D), absent for EbtType::kDefault
  std::vector<BlockWeights<P>> blocks;
  std::vector<ModulationWeights<P>> block_modulations;
  Tensor<P> final_norm;  // (D)
  ModulationWeights<P> head_modulation;
  Tensor<P> energy_head;  // (1, D) of an EBT
  Tensor<P> output;       // (V, D) of Transformer++
  Tensor<P> step_size;    // () of an EBT: alpha
};

// A model's weights as its products take them, S being what activations are stored as.
template <class T, class S>
struct SequenceOperandViews {
  SequenceWeights<const T> values;
  std::vector<BlockMatrices<kernels::WeightMatrix<T, S>>> blocks;
  VocabularyMatrix<kernels::WeightMatrix<T, S>> vocabulary;
  kernels::WeightMatrix<T, S> output;
};

// Makes SequenceOperandViews, and keeps the copies that products multiply.
template <class T, class S>
class SequenceOperands {
 public:
  SequenceOperands(const SequenceConfig& config, const SequenceWeights<const T>& weights);
  // Bytes of the copies.
  static size_t bytes(const SequenceConfig& config, int64_t vocab_size);
  static size_t bytes(const TextModelConfig& config) { return bytes(config, config.vocab_size); }

  const SequenceOperandViews<T, S>& views() const { return views_; }
  // Copies the weights anew, after they have changed.
  void refresh() { copies_.refresh(); }

 private:
  OperandCopies<T, S> copies_;
  SequenceOperandViews<T, S> views_;
};

// Adds the blocks and what is above them under the published names.
void add_sequence_parameters(const SequenceConfig& config, ParameterLayout& layout);
// Every tensor of a model of text, under the published names.
ParameterLayout text_model_layout(const TextModelConfig& config);

// The tensors of a block of parameters by role: ParameterBlock<T> gives P = T, a constant one P =
// const T.
template <class P, class Block>
SequenceWeights<P> sequence_weights(const SequenceConfig& config, Block& parameters);
template <class P, class Block>
SequenceWeights<P> text_weights(const TextModelConfig& config, Block& parameters);

template <>
struct ModelRoles<TextModelConfig> {
  template <class P>
  using Weights = SequenceWeights<P>;
  template <class T, class S>
  using Operands = SequenceOperands<T, S>;
  static ParameterLayout layout(const TextModelConfig& config) { return text_model_layout(config); }
  template <class P, class Block>
  static SequenceWeights<P> by_role(const TextModelConfig& config, Block& parameters) {
    return text_weights<P>(config, parameters);
  }
};

}  // namespace ebt
