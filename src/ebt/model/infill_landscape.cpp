#include "ebt/model/infill_landscape.h"

#include <algorithm>

namespace ebt {

int64_t largest_chunk(const InfillModelConfig& config, int64_t rows, const EngineOptions& options) {
  constexpr int64_t kPositions = 512;
  const int64_t positions = options.chunk_positions > 0 ? options.chunk_positions : kPositions;
  return std::max<int64_t>(std::min(positions / config.row_length, rows), 1);
}

int64_t rows_per_chunk(const InfillModelConfig& config, int64_t rows,
                       const EngineOptions& options) {
  const int64_t most = largest_chunk(config, rows, options);
  const int64_t chunks = std::max<int64_t>((rows + most - 1) / most, 1);
  return std::max<int64_t>((rows + chunks - 1) / chunks, 1);
}

StackShape answer_stack_shape(const InfillModelConfig& config, int64_t n) {
  return {config, config.layers, n, config.row_length};
}

template <class T, class S>
typename AnswerStack<T, S>::Params InfillLandscape<T, S>::stack() const {
  const auto eps = static_cast<T>(config.norm_eps);
  const InfillWeights<const T>& values = weights.values();
  const RotaryParams<T> turns =
      values.axes.empty() ? rotary.stream(config.heads, 0, config.row_length) : RotaryParams<T>{};
  typename AnswerStack<T, S>::Params all;
  for (size_t layer = 0; layer < values.blocks.size(); ++layer) {
    const BlockWeights<const T>& block = values.blocks[layer];
    all.blocks.push_back({weights.block(layer),
                          {block.attention_norm, {}, {}},
                          {block.ffn_norm, {}, {}},
                          turns,
                          {config.heads},
                          eps});
  }
  all.norm = {values.final_norm, eps, {}};
  return all;
}

template <class T, class S>
typename AnswerStack<T, S>::Grads InfillLandscape<T, S>::stack_grads(
    const InfillWeights<T>& grads) const {
  typename AnswerStack<T, S>::Grads all;
  for (const BlockWeights<T>& block : grads.blocks) {
    all.blocks.push_back({block, {block.attention_norm, {}, {}}, {block.ffn_norm, {}, {}}, {}});
  }
  all.norm = {grads.final_norm, {}};
  return all;
}

#define EBT_INSTANTIATE(T, S) template struct InfillLandscape<T, S>;
EBT_INSTANTIATE(float, float)
EBT_INSTANTIATE(float, Bfloat16)
EBT_INSTANTIATE(double, double)
#undef EBT_INSTANTIATE

}  // namespace ebt
