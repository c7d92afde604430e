#include "ebt/model/row_weights.h"

#include "ebt/core/bfloat16.h"

namespace ebt {

template <class T, class S>
RowWeights<T, S>::RowWeights(const TextModelConfig& config, const SequenceWeights<const T>& weights)
    : values_(weights) {
  const bool energy = config.arch == Architecture::kEbt;
  for (const BlockWeights<const T>& block : weights.blocks) {
    blocks_.push_back(block_matrices(block, [&](Tensor<const T> matrix) {
      return kernels::StripMatrix<S>{copy(matrix, true), energy ? copy(matrix, false) : nullptr};
    }));
  }
  if (energy) {
    const bool tied = weights.vocabulary.tied;
    embed_ = copy(weights.vocabulary.weight, !tied);
    logits_ = copy(weights.vocabulary.weight, tied);
  } else {
    logits_ = copy(weights.output, true);
  }
}

template <class T, class S>
int64_t RowWeights<T, S>::block_bytes() const {
  int64_t bytes = 0;
  for (const BlockMatrices<kernels::StripMatrix<S>>& block : blocks_) {
    for (const auto& matrix : {block.qkv, block.attention_out, block.ffn_in, block.ffn_out}) {
      bytes += matrix.transposed->bytes();
    }
  }
  return bytes;
}

template class RowWeights<float, float>;
template class RowWeights<float, Bfloat16>;
template class RowWeights<double, double>;

}  // namespace ebt
