// A model's matrices as generation reads them: rounded to S, in the order of reading, for either
// side of their products.
#pragma once

#include <deque>
#include <vector>

#include "ebt/kernels/row_product.h"
#include "ebt/model/sequence_weights.h"

namespace ebt {

template <class T, class S>
class RowWeights {
 public:
  // Copies the matrices of `weights`, whose other tensors are used where they are.
  RowWeights(const TextModelConfig& config, const SequenceWeights<const T>& weights);
  RowWeights(const RowWeights&) = delete;
  RowWeights& operator=(const RowWeights&) = delete;

  const SequenceWeights<const T>& values() const { return values_; }
  // For either side of their products; of a baseline, which has no gradients, for x W^T alone.
  const BlockMatrices<kernels::StripMatrix<S>>& block(int64_t layer) const {
    return blocks_[static_cast<size_t>(layer)];
  }
  // (V, D), of an EBT: predictions to embeddings.
  const kernels::ColumnStrips<S>& embed() const { return *embed_; }
  // (D, V): embedding gradients to logit gradients, or a baseline's output to logits.
  const kernels::ColumnStrips<S>& logits() const { return *logits_; }
  // Bytes that one forward pass reads of the blocks.
  int64_t block_bytes() const;

 private:
  const kernels::ColumnStrips<S>* copy(Tensor<const T> matrix, bool transposed) {
    return &copies_.emplace_back(kernels::ColumnStrips<S>::of(matrix, transposed));
  }

  SequenceWeights<const T> values_;
  std::deque<kernels::ColumnStrips<S>> copies_;
  std::vector<BlockMatrices<kernels::StripMatrix<S>>> blocks_;
  const kernels::ColumnStrips<S>* embed_ = nullptr;
  const kernels::ColumnStrips<S>* logits_ = nullptr;
};

}  // namespace ebt
