#include "ebt/model/context_stream.h"

#include <utility>

#include "ebt/core/phase.h"
#include "ebt/core/work_watch.h"
#include "ebt/kernels/elementwise.h"

namespace ebt {
namespace {

int64_t stream_tokens(const SequenceConfig& config, int64_t context) {
  return context + (config.arch == Architecture::kEbt ? config.lead() : 0);
}

}  // namespace

template <class T, class S>
ContextWork<T, S> ContextWork<T, S>::take(Arena& arena, const SequenceConfig& config, int64_t batch,
                                          int64_t context, Keep keep) {
  const int64_t tokens = stream_tokens(config, context);
  const Shape stream{batch, tokens, config.width};
  ContextWork work;
  work.blocks = BlockWork<S>::take(arena, config, batch, tokens);
  work.embedded = tokens == context ? Tensor<T>{} : arena.take<T>({batch, context, config.width});
  work.stream = arena.take<T>(stream);
  if (keep != Keep::kAll) {
    work.values = BlockValues<S>::take(arena, config, batch, tokens);
  }
  if (keep != Keep::kKeys) {
    work.bar = BlockCotangents<S>::take(arena, config, batch, tokens);
    work.output_bar = arena.take<S>(stream);
    work.below = arena.take<S>(stream);
    work.again = keep == Keep::kStream ? arena.take<T>(stream) : Tensor<T>{};
  }
  return work;
}

template <class T, class S>
ContextStream<T, S>::ContextStream(Arena& arena, const SequenceConfig& config, int64_t batch,
                                   int64_t context, Keep keep, const ContextWork<T, S>& work)
    : config_(config), keep_(keep), work_(work) {
  const int64_t tokens = stream_tokens(config, context);
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    BlockValues<S> values = work.values;
    if (keep == Keep::kAll) {
      values = BlockValues<S>::take(arena, config, batch, tokens);
    } else {
      values.qkv = arena.take<S>({batch, tokens, 3 * config.width});
    }
    traces_.push_back(BlockTrace<T, S>::take(arena, config, batch, tokens, values));
    if (keep == Keep::kStream) {
      streams_.push_back(arena.take<T>({batch, tokens, config.width}));
    }
    if (keep != Keep::kKeys) {
      keys_bar_.push_back(arena.take<T>({batch, tokens, 2 * config.width}));
    }
  }
}

template <class T, class S>
typename ContextStream<T, S>::ContextBlock::Params ContextStream<T, S>::params(
    const SequenceOperandViews<T, S>& weights, const LandscapeVectors<T>& vectors,
    const RotaryTable<T>& rotary, int64_t layer) const {
  return {weights.blocks[static_cast<size_t>(layer)],
          vectors.half(weights.values, layer, 0),
          vectors.half(weights.values, layer, 1),
          rotary.stream(config_.heads, 0, work_.stream.dim(1)),
          {config_.heads},
          static_cast<T>(config_.norm_eps)};
}

template <class T, class S>
void ContextStream<T, S>::run_block(const typename ContextBlock::Params& block, int64_t layer,
                                    Tensor<T> stream) {
  BlockTrace<T, S>& trace = traces_[static_cast<size_t>(layer)];
  if (stops_at_keys(layer)) {
    ContextBlock::forward_keys(block, stream, trace, work_.blocks);
  } else {
    ContextBlock::forward(block, stream, trace, work_.blocks);
  }
}

template <class T, class S>
void ContextStream<T, S>::forward(const SequenceOperandViews<T, S>& weights,
                                  const LandscapeVectors<T>& vectors, const RotaryTable<T>& rotary,
                                  const ContextInput<T>& input, int64_t landscape) {
  const PhaseScope scope(Phase::kContext);
  input_ = input;
  landscape_ = landscape;
  const Tensor<T> stream = work_.stream;
  const bool led = stream.dim(1) != input.length();
  const Tensor<T> embedded = led ? work_.embedded : stream;
  if (input.tokens) {
    Embedding<T>::forward(weights.values.embeddings, input.tokens, embedded);
  } else {
    kernels::elementwise<T>().copy(input.vectors.count(), input.vectors.data, embedded.data);
  }
  if (led) {
    typename LandscapeToken<T>::Saved unused;
    LandscapeToken<T>::forward({weights.values.landscapes.slice(landscape, 1)}, work_.embedded,
                               stream, unused);
  }
  for (int64_t layer = 0; layer < config_.layers; ++layer) {
    if (keep_ == Keep::kStream) {
      kernels::elementwise<T>().copy(stream.count(), stream.data,
                                     streams_[static_cast<size_t>(layer)].data);
    }
    run_block(params(weights, vectors, rotary, layer), layer, stream);
    tell_share(static_cast<double>(layer + 1) / static_cast<double>(config_.layers));
  }
  for (const Tensor<T>& bar : keys_bar_) {
    kernels::elementwise<T>().fill(bar.count(), T(0), bar.data);
  }
}

template <class T, class S>
void ContextStream<T, S>::vjp(const SequenceOperandViews<T, S>& weights,
                              const LandscapeVectors<T>& vectors, const RotaryTable<T>& rotary,
                              const SequenceWeights<T>& grads) {
  const PhaseScope scope(Phase::kContext);
  BlockCotangents<S> bar = work_.bar;
  bar.output = work_.output_bar;
  Tensor<S> below = work_.below;
  const Tensor<T> sum = work_.stream;
  for (int64_t layer = config_.layers - 1; layer >= 0; --layer) {
    const auto block = params(weights, vectors, rotary, layer);
    typename ContextBlock::Grads block_grads{grads.blocks[static_cast<size_t>(layer)],
                                             vectors.half_bar(grads, layer, 0),
                                             vectors.half_bar(grads, layer, 1),
                                             {}};
    if (keep_ == Keep::kStream) {
      const Tensor<T> stream = streams_[static_cast<size_t>(layer)];
      kernels::elementwise<T>().copy(stream.count(), stream.data, work_.again.data);
      run_block(block, layer, work_.again);
    }
    if (stops_at_keys(layer)) {
      ContextBlock::vjp_of_keys(block, trace(layer), bar, keys_bar(layer), {sum, below},
                                work_.blocks, block_grads);
    } else {
      ContextBlock::vjp_of_context(block, trace(layer), bar, keys_bar(layer), {sum, below},
                                   work_.blocks, block_grads);
    }
    std::swap(bar.output, below);
    tell_share(static_cast<double>(config_.layers - layer) / static_cast<double>(config_.layers));
  }
  const bool led = sum.dim(1) != input_.length();
  if (led) {
    typename LandscapeToken<T>::Grads token{grads.landscapes.slice(landscape_, 1)};
    LandscapeToken<T>::vjp({}, {}, sum, work_.embedded, Write::kReplace, &token);
  }
  if (input_.tokens) {
    Embedding<T>::vjp(input_.tokens, led ? work_.embedded : sum, grads.embeddings);
  }
}

template struct ContextWork<float, float>;
template struct ContextWork<float, Bfloat16>;
template struct ContextWork<double, double>;
template class ContextStream<float, float>;
template class ContextStream<float, Bfloat16>;
template class ContextStream<double, double>;

}  // namespace ebt
