#include "ebt/model/block_stack.h"

#include <utility>

#include "ebt/core/phase.h"
#include "ebt/kernels/convert.h"

namespace ebt {

template <class T, class S>
SweepSpace<T, S> SweepSpace<T, S>::take(Arena& arena, const StackShape& shape) {
  SweepSpace space;
  for (int64_t layer = 0; layer < shape.layers; ++layer) {
    space.dot.push_back(BlockValues<S>::take(arena, shape.block, shape.batch, shape.tokens));
  }
  space.bar = BlockCotangents<S>::take(arena, shape.block, shape.batch, shape.tokens);
  space.output_bar = arena.take<S>(shape.stream());
  space.below = arena.take<S>(shape.stream());
  space.features_dot = arena.take<T>(shape.stream());
  space.features_bar = arena.take<T>(shape.stream());
  space.token_bar = arena.take<T>({shape.batch, shape.tokens, 1});
  return space;
}

template <class T, class S, class Attention, class Style>
BlockStack<T, S, Attention, Style>::BlockStack(Arena& arena, const StackShape& shape,
                                               StackUse use) {
  const auto [block, layers, batch, tokens] = shape;
  stream_ = arena.take<T>(shape.stream());
  features_ = arena.take<T>(shape.stream());
  BlockValues<S> values;
  for (int64_t layer = 0; layer < layers; ++layer) {
    if (layer == 0 || use != StackUse::kForward) {
      values = BlockValues<S>::take(arena, block, batch, tokens);
    }
    traces_.push_back(BlockTrace<T, S>::take(arena, block, batch, tokens, values));
  }
  final_norm_.inverse_deviation = arena.take<T>({batch, tokens});
  final_norm_.mean = block.layer_norms ? arena.take<T>({batch, tokens}) : Tensor<T>{};
  work_ = BlockWork<S>::take(arena, block, batch, tokens);
  if (use == StackUse::kForward) {
    return;
  }
  for (int64_t layer = 0; layer < layers; ++layer) {
    delta_.push_back(layer == 0 || use == StackUse::kSecondOrder
                         ? BlockCotangents<S>::take(arena, block, batch, tokens)
                         : delta_.back());
    delta_.back().output = arena.take<S>(shape.stream());
  }
  gradient_ = arena.take<T>(shape.stream());
  gradient_stored_ = arena.take<S>(shape.stream());
}

template <class T, class S, class Attention, class Style>
Tensor<const T> BlockStack<T, S, Attention, Style>::forward(const Params& params) {
  const PhaseScope scope(Phase::kThinking);
  for (size_t layer = 0; layer < traces_.size(); ++layer) {
    StackBlock::forward(params.blocks[layer], stream_, traces_[layer], work_);
  }
  FinalNorm::forward(params.norm, stream_, features_, final_norm_);
  return features_;
}

template <class T, class S, class Attention, class Style>
void BlockStack<T, S, Attention, Style>::vjp(const Params& params, Tensor<const T> features_bar,
                                             Grads* grads) {
  const PhaseScope scope(Phase::kInnerGradient);
  features_delta_ = features_bar;
  FinalNorm::vjp(params.norm, final_norm_, features_bar, gradient_, Write::kReplace,
                 grads == nullptr ? nullptr : &grads->norm);
  kernels::convert<T, S>().round(gradient_.count(), gradient_.data, delta_.back().output.data);
  for (size_t layer = traces_.size(); layer-- > 0;) {
    const Tensor<S> below = layer == 0 ? gradient_stored_ : delta_[layer - 1].output;
    StackBlock::vjp(params.blocks[layer], traces_[layer], delta_[layer], {gradient_, below}, work_,
                    grads == nullptr ? nullptr : &grads->blocks[layer]);
  }
}

template <class T, class S, class Attention, class Style>
Tensor<const T> BlockStack<T, S, Attention, Style>::jvp(const Params& params, Tensor<T> e_dot,
                                                        SweepSpace<T, S>& space) {
  const PhaseScope scope(Phase::kTangent);
  for (size_t layer = 0; layer < traces_.size(); ++layer) {
    StackBlock::jvp(params.blocks[layer], e_dot, traces_[layer], space.dot[layer], work_);
  }
  FinalNorm::jvp(params.norm, final_norm_, e_dot, space.features_dot);
  return space.features_dot;
}

template <class T, class S, class Attention, class Style>
Tensor<const S> BlockStack<T, S, Attention, Style>::second_order(const Params& params,
                                                                 Tensor<const T> e_dot,
                                                                 Tensor<const T> features_bar,
                                                                 SweepSpace<T, S>& space,
                                                                 Grads& grads, Tensor<T> e_bar) {
  const PhaseScope scope(Phase::kSecondOrder);
  FinalNorm::second_order_to_stream(params.norm, final_norm_, e_dot, features_delta_, features_bar,
                                    {e_bar.data, false, nullptr}, &grads.norm, {}, {});
  BlockCotangents<S> bar = space.bar;
  bar.output = space.output_bar;
  Tensor<S> below = space.below;
  kernels::convert<T, S>().round(e_bar.count(), e_bar.data, bar.output.data);
  for (size_t layer = traces_.size(); layer-- > 0;) {
    StackBlock::second_order(params.blocks[layer], traces_[layer], space.dot[layer], delta_[layer],
                             bar, {e_bar, below}, work_, grads.blocks[layer]);
    std::swap(bar.output, below);
  }
  return bar.output;
}

#define EBT_INSTANTIATE(T, S)                                               \
  template struct SweepSpace<T, S>;                                         \
  template class BlockStack<T, S, PredictionAttention<T, S>, TextStyle>;    \
  template class BlockStack<T, S, BidirectionalAttention<T, S>, TextStyle>; \
  template class BlockStack<T, S, BidirectionalAttention<T, S>, ImageStyle>;
EBT_INSTANTIATE(float, float)
EBT_INSTANTIATE(float, Bfloat16)
EBT_INSTANTIATE(double, double)
#undef EBT_INSTANTIATE

}  // namespace ebt
