// All tensors of a text model by role: its weights (P = const T) or their gradients (P = T).
#pragma once

#include <vector>

#include "ebt/layers/vocabulary.h"
#include "ebt/model/block.h"
#include "ebt/model/config.h"
#include "ebt/model/parameters.h"

namespace ebt {

// A linear layer with bias that makes a landscape's modulation vector.
template <class P>
struct ModulationWeights {
  Tensor<P> weight;  // (6 D, D) of a block, (2 D, D) of the head; absent without adaLN
  Tensor<P> bias;
};

template <class P>
struct TextWeights {
  Tensor<P> embeddings;            // (V, D)
  VocabularyMatrix<P> vocabulary;  // of an EBT
  Tensor<P> landscapes;            // (landscapes, D), absent for EbtType::kDefault
  std::vector<BlockWeights<P>> blocks;
  std::vector<ModulationWeights<P>> block_modulations;
  Tensor<P> final_norm;  // (D)
  ModulationWeights<P> head_modulation;
  Tensor<P> energy_head;  // (1, D) of an EBT
  Tensor<P> output;       // (V, D) of Transformer++
  Tensor<P> step_size;    // () of an EBT: alpha
};

// Every tensor of the model, under the published names.
ParameterLayout text_model_layout(const ModelConfig& config);

// The tensors of a block by role: ParameterBlock<T> gives P = T, a constant one P = const T.
template <class P, class Block>
TextWeights<P> text_weights(const ModelConfig& config, Block& parameters);

}  // namespace ebt
