#include "ebt/model/context_stream.h"

#include <utility>

#include "ebt/kernels/elementwise.h"
#include "ebt/kernels/isa.h"

namespace ebt {

template <class T>
ContextStream<T>::ContextStream(Arena& arena, const ModelConfig& config, int64_t batch,
                                int64_t context, bool training)
    : config_(config) {
  const int64_t tokens = context + (config.arch == Architecture::kEbt ? config.lead() : 0);
  embedded_ = arena.take<T>({batch, context, config.width});
  input_ = tokens == context ? embedded_ : arena.take<T>({batch, tokens, config.width});
  BlockValues<T> values;
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    if (training || layer == 0) {
      values = BlockValues<T>::take(arena, config, batch, tokens);
    } else {
      // Without vjp only keys and values outlive a block; the two halves of a shared block's
      // residual stream may overlap, since its output is written from `middle`.
      values.qkv = arena.take<T>(values.qkv.shape);
    }
    values.input = layer == 0 ? input_ : traces_.back().values.output;
    traces_.push_back(BlockTrace<T>::take(arena, config, batch, tokens, values));
  }
  if (!training) {
    return;
  }
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    keys_bar_.push_back(arena.take<T>({batch, tokens, 3 * config.width}));
  }
  embedded_bar_ = arena.take<T>(embedded_.shape);
  bar_ = BlockValues<T>::take(arena, config, batch, tokens);
  bar_.input = arena.take<T>(bar_.output.shape);
}

template <class T>
typename ContextStream<T>::ContextBlock::Params ContextStream<T>::params(
    const TextWeights<const T>& weights, const LandscapeVectors<T>& vectors,
    const RotaryTable<T>& rotary, int64_t layer) const {
  return {weights.blocks[static_cast<size_t>(layer)],
          rotary.stream(config_.heads, 0, input_.dim(1)),
          {config_.heads},
          vectors.block(layer),
          static_cast<T>(config_.norm_eps)};
}

template <class T>
void ContextStream<T>::forward(const TextWeights<const T>& weights,
                               const LandscapeVectors<T>& vectors, const RotaryTable<T>& rotary,
                               Tensor<const int32_t> tokens, int64_t landscape) {
  tokens_ = tokens;
  landscape_ = landscape;
  Embedding<T>::forward(weights.embeddings, tokens, embedded_);
  if (input_.data != embedded_.data) {
    typename LandscapeToken<T>::Saved unused;
    LandscapeToken<T>::forward({weights.landscapes.slice(landscape, 1)}, embedded_, input_, unused);
  }
  for (int64_t layer = 0; layer < config_.layers; ++layer) {
    BlockTrace<T>& trace = traces_[static_cast<size_t>(layer)];
    const auto block = params(weights, vectors, rotary, layer);
    if (config_.arch == Architecture::kEbt && layer + 1 == config_.layers) {
      ContextBlock::forward_keys(block, trace);
    } else {
      ContextBlock::forward(block, trace);
    }
  }
  for (const Tensor<T>& bar : keys_bar_) {
    kernels::kernels<kernels::ElementwiseKernels<T>>().zero(bar.count(), bar.data);
  }
}

template <class T>
void ContextStream<T>::vjp(const TextWeights<const T>& weights, const LandscapeVectors<T>& vectors,
                           const RotaryTable<T>& rotary, const TextWeights<T>& grads) {
  BlockValues<T> bar = bar_;
  for (int64_t layer = config_.layers - 1; layer >= 0; --layer) {
    const auto block = params(weights, vectors, rotary, layer);
    typename ContextBlock::Grads block_grads{
        grads.blocks[static_cast<size_t>(layer)], {}, vectors.block_bar(layer)};
    bar.qkv = keys_bar_[static_cast<size_t>(layer)];
    if (config_.arch == Architecture::kEbt && layer + 1 == config_.layers) {
      ContextBlock::vjp_keys(block, trace(layer), bar, &block_grads);
    } else {
      ContextBlock::vjp(block, trace(layer), bar, Write::kAdd, &block_grads);
    }
    std::swap(bar.input, bar.output);
  }
  const Tensor<T> input_bar = bar.output;
  Tensor<T> embedded_bar = input_bar;
  if (input_.data != embedded_.data) {
    typename LandscapeToken<T>::Grads token{grads.landscapes.slice(landscape_, 1)};
    LandscapeToken<T>::vjp({}, {}, input_bar, embedded_bar_, Write::kReplace, &token);
    embedded_bar = embedded_bar_;
  }
  Embedding<T>::vjp(tokens_, embedded_bar, grads.embeddings);
}

template class ContextStream<float>;
template class ContextStream<double>;

}  // namespace ebt
