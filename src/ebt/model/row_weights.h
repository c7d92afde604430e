// A model's matrices as generation reads them: rounded to S, in the order of reading, for either
// side of their products.
#pragma once

#include <vector>

#include "ebt/kernels/row_product.h"
#include "ebt/model/weights.h"

namespace ebt {

// W (out, in) as the right factor of y = x W^T, and of x_bar = y_bar W.
template <class S>
struct RowMatrix {
  kernels::ColumnStrips<S> up;
  kernels::ColumnStrips<S> down;  // of an EBT
};

template <class T, class S>
class RowWeights {
 public:
  struct Block {
    RowMatrix<S> qkv, attention_out, ffn_in, ffn_out;
  };
  // Copies the matrices of `weights`, whose other tensors are used where they are.
  RowWeights(const ModelConfig& config, const TextWeights<const T>& weights);

  const TextWeights<const T>& values() const { return values_; }
  const Block& block(int64_t layer) const { return blocks_[static_cast<size_t>(layer)]; }
  // (V, D), of an EBT: predictions to embeddings.
  const kernels::ColumnStrips<S>& embed() const { return embed_; }
  // (D, V): embedding gradients to logit gradients, or a baseline's output to logits.
  const kernels::ColumnStrips<S>& logits() const { return logits_; }
  // Bytes of all copies.
  int64_t bytes() const;
  // Bytes that one pass upward reads of the blocks.
  int64_t block_bytes() const;

 private:
  TextWeights<const T> values_;
  std::vector<Block> blocks_;
  kernels::ColumnStrips<S> embed_, logits_;
};

}  // namespace ebt
