// All tensors of a text model by role: its weights (P = const T) or their gradients (P = T).
#pragma once

#include <deque>
#include <vector>

#include "ebt/kernels/gemm.h"
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
  Tensor<P> embeddings;                    // (V, D)
  VocabularyMatrix<Tensor<P>> vocabulary;  // of an EBT
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
struct ModelWeights {
  TextWeights<const T> values;
  std::vector<BlockMatrices<T, S>> blocks;
  VocabularyMatrix<kernels::WeightMatrix<T, S>> vocabulary;
  kernels::WeightMatrix<T, S> output;
};

// Makes ModelWeights, and keeps the rounded, packed copies that bf16 products multiply. For S = T
// there are none: the weights are their own right factors.
template <class T, class S>
class OperandWeights {
 public:
  OperandWeights(const ModelConfig& config, const TextWeights<const T>& weights);
  OperandWeights(const OperandWeights&) = delete;
  OperandWeights& operator=(const OperandWeights&) = delete;
  // Bytes of the copies.
  static size_t bytes(const ModelConfig& config);

  const ModelWeights<T, S>& views() const { return views_; }
  // Copies the weights anew, after they have changed.
  void refresh();

 private:
  struct Copy {
    Tensor<const T> values;
    kernels::PackedMatrix transposed, straight;
    explicit Copy(Tensor<const T> v)
        : values(v), transposed(v.dim(1), v.dim(0)), straight(v.dim(0), v.dim(1)) {}
  };
  kernels::WeightMatrix<T, S> operand(Tensor<const T> weights);

  std::deque<Copy> copies_;
  ModelWeights<T, S> views_;
};

// Every tensor of the model, under the published names.
ParameterLayout text_model_layout(const ModelConfig& config);

// The tensors of a block by role: ParameterBlock<T> gives P = T, a constant one P = const T.
template <class P, class Block>
TextWeights<P> text_weights(const ModelConfig& config, Block& parameters);

}  // namespace ebt
