#include "ebt/model/row_weights.h"

#include "ebt/core/bfloat16.h"

namespace ebt {

template <class T, class S>
RowWeights<T, S>::RowWeights(const ModelConfig& config, const TextWeights<const T>& weights)
    : values_(weights) {
  using kernels::ColumnStrips;
  const bool energy = config.arch == Architecture::kEbt;
  const auto both = [&](Tensor<const T> w) {
    return RowMatrix<S>{ColumnStrips<S>::of(w, true),
                        energy ? ColumnStrips<S>::of(w, false) : ColumnStrips<S>{}};
  };
  for (const BlockWeights<const T>& block : weights.blocks) {
    blocks_.push_back(
        {both(block.qkv), both(block.attention_out), both(block.ffn_in), both(block.ffn_out)});
  }
  if (energy) {
    const bool tied = weights.vocabulary.tied;
    embed_ = ColumnStrips<S>::of(weights.vocabulary.weight, !tied);
    logits_ = ColumnStrips<S>::of(weights.vocabulary.weight, tied);
  } else {
    logits_ = ColumnStrips<S>::of(weights.output, true);
  }
}

template <class T, class S>
int64_t RowWeights<T, S>::block_bytes() const {
  int64_t bytes = 0;
  for (const Block& block : blocks_) {
    for (const RowMatrix<S>* m :
         {&block.qkv, &block.attention_out, &block.ffn_in, &block.ffn_out}) {
      bytes += m->up.bytes();
    }
  }
  return bytes;
}

template <class T, class S>
int64_t RowWeights<T, S>::bytes() const {
  const bool both = embed_.columns() > 0;
  return block_bytes() * (both ? 2 : 1) + embed_.bytes() + logits_.bytes();
}

template class RowWeights<float, float>;
template class RowWeights<float, Bfloat16>;
template class RowWeights<double, double>;

}  // namespace ebt
