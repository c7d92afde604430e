#include "ebt/model/image_trunk.h"

#include <algorithm>
#include <utility>

#include "ebt/core/phase.h"
#include "ebt/kernels/convert.h"
#include "ebt/kernels/elementwise.h"

namespace ebt {
namespace {

template <class T, class S>
void round(Tensor<const T> from, Tensor<S> to) {
  kernels::convert<T, S>().round(from.count(), from.data, to.data);
}

Shape stream_shape(const ImageModelConfig& config, int64_t batch) {
  return {batch, config.patches(), config.width};
}

}  // namespace

int64_t images_per_chunk(const ImageModelConfig& config, int64_t rows,
                         const EngineOptions& options) {
  constexpr int64_t kPositions = 512;
  const int64_t positions = options.chunk_positions > 0 ? options.chunk_positions : kPositions;
  return std::max<int64_t>(std::min(positions / config.patches(), rows), 1);
}

template <class T, class S>
ImageSweepSpace<T, S> ImageSweepSpace<T, S>::take(Arena& arena, const ImageModelConfig& config,
                                                  int64_t batch) {
  const Shape stream = stream_shape(config, batch);
  ImageSweepSpace space;
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    space.dot.push_back(BlockValues<S>::take(arena, config, batch, config.patches()));
  }
  space.bar = BlockCotangents<S>::take(arena, config, batch, config.patches());
  space.output_bar = arena.take<S>(stream);
  space.below = arena.take<S>(stream);
  space.stream_dot = arena.take<T>(stream);
  space.stream_bar = arena.take<T>(stream);
  space.features_dot = arena.take<T>(stream);
  return space;
}

template <class T, class S>
ImageTrunk<T, S>::ImageTrunk(Arena& arena, const ImageModelConfig& config, int64_t batch,
                             TrunkUse use)
    : config_(config) {
  const Shape stream = stream_shape(config, batch);
  const int64_t tokens = config.patches();
  patches_ = PatchEmbedding<T>::take(arena, batch * tokens, config.patch_size());
  stream_ = arena.take<T>(stream);
  features_ = arena.take<T>(stream);
  BlockValues<S> values;
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    if (layer == 0 || use != TrunkUse::kForward) {
      values = BlockValues<S>::take(arena, config, batch, tokens);
    }
    traces_.push_back(BlockTrace<T, S>::take(arena, config, batch, tokens, values));
  }
  final_norm_.inverse_deviation = arena.take<T>({batch, tokens});
  final_norm_.mean = arena.take<T>({batch, tokens});
  work_ = BlockWork<S>::take(arena, config, batch, tokens);
  if (use == TrunkUse::kForward) {
    return;
  }
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    delta_.push_back(layer == 0 || use == TrunkUse::kSecondOrder
                         ? BlockCotangents<S>::take(arena, config, batch, tokens)
                         : delta_.back());
    delta_.back().output = arena.take<S>(stream);
  }
  below_ = arena.take<S>(stream);
  features_delta_ = arena.take<T>(stream);
  descent_ = arena.take<T>(stream);
}

template <class T, class S>
typename ImageTrunk<T, S>::ImageBlock::Params ImageTrunk<T, S>::params(
    const ImageLandscape<T, S>& at, int64_t layer) const {
  return {at.weights.block(layer),
          at.modulation.half(layer, 0),
          at.modulation.half(layer, 1),
          {},
          {config_.heads},
          static_cast<T>(config_.norm_eps),
          at.weights.values().blocks[static_cast<size_t>(layer)].biases};
}

template <class T, class S>
typename ImageTrunk<T, S>::ImageBlock::Grads ImageTrunk<T, S>::block_grads(
    const ImageLandscape<T, S>& at, const ImageWeights<T>& grads, int64_t layer) const {
  return {grads.blocks[static_cast<size_t>(layer)],
          at.modulation.half_bar(layer, 0),
          at.modulation.half_bar(layer, 1),
          {}};
}

template <class T, class S>
NormParams<T> ImageTrunk<T, S>::final_norm(const ImageLandscape<T, S>& at) const {
  const HalfModulation<const T> head = at.modulation.head();
  return {head.gain, static_cast<T>(config_.norm_eps), head.shift};
}

template <class T, class S>
typename PatchEmbedding<T>::Params ImageTrunk<T, S>::embedding(
    const ImageLandscape<T, S>& at) const {
  const ImageWeights<const T>& weights = at.weights.values();
  return {config_.patch, weights.patch, weights.patch_bias, at.positions};
}

template <class T, class S>
Tensor<const T> ImageTrunk<T, S>::forward(const ImageLandscape<T, S>& at, Tensor<const T> images) {
  const PhaseScope scope(Phase::kThinking);
  PatchEmbedding<T>::forward(embedding(at), images, stream_, patches_);
  for (int64_t layer = 0; layer < config_.layers; ++layer) {
    ImageBlock::forward(params(at, layer), stream_, traces_[static_cast<size_t>(layer)], work_);
  }
  LayerNorm<T>::forward(final_norm(at), stream_, features_, final_norm_);
  return features_;
}

template <class T, class S>
void ImageTrunk<T, S>::vjp(const ImageLandscape<T, S>& at, Tensor<const T> features_bar,
                           Tensor<T> images_bar, const ImageWeights<T>* grads) {
  const PhaseScope scope(Phase::kInnerGradient);
  kernels::elementwise<T>().copy(features_bar.count(), features_bar.data, features_delta_.data);
  const HalfModulation<T> head = at.modulation.head_bar();
  NormGrads<T> head_grads{head.gain, head.shift};
  LayerNorm<T>::vjp(final_norm(at), final_norm_, features_bar, descent_, Write::kReplace,
                    grads == nullptr ? nullptr : &head_grads);
  round<T, S>(descent_, delta_.back().output);
  for (int64_t layer = config_.layers - 1; layer >= 0; --layer) {
    const auto index = static_cast<size_t>(layer);
    const Tensor<S> below = layer == 0 ? below_ : delta_[index - 1].output;
    typename ImageBlock::Grads own;
    if (grads != nullptr) {
      own = block_grads(at, *grads, layer);
    }
    ImageBlock::vjp(params(at, layer), traces_[index], delta_[index], {descent_, below}, work_,
                    grads == nullptr ? nullptr : &own);
  }
  typename PatchEmbedding<T>::Grads patch_grads;
  if (grads != nullptr) {
    patch_grads = {grads->patch, grads->patch_bias};
  }
  if (images_bar || grads != nullptr) {
    PatchEmbedding<T>::vjp(embedding(at), patches_, descent_, images_bar, Write::kReplace,
                           grads == nullptr ? nullptr : &patch_grads);
  }
}

template <class T, class S>
Tensor<const T> ImageTrunk<T, S>::jvp(const ImageLandscape<T, S>& at, Tensor<const T> images_dot,
                                      ImageSweepSpace<T, S>& space) {
  const PhaseScope scope(Phase::kTangent);
  PatchEmbedding<T>::jvp(embedding(at), patches_, images_dot, space.stream_dot);
  for (int64_t layer = 0; layer < config_.layers; ++layer) {
    const auto index = static_cast<size_t>(layer);
    ImageBlock::jvp(params(at, layer), space.stream_dot, traces_[index], space.dot[index], work_);
  }
  LayerNorm<T>::jvp(final_norm(at), final_norm_, space.stream_dot, space.features_dot);
  return space.features_dot;
}

template <class T, class S>
void ImageTrunk<T, S>::second_order(const ImageLandscape<T, S>& at, Tensor<const T> images_dot,
                                    ImageSweepSpace<T, S>& space, Tensor<T> images_bar,
                                    const ImageWeights<T>& grads) {
  const PhaseScope scope(Phase::kSecondOrder);
  const HalfModulation<T> head = at.modulation.head_bar();
  NormGrads<T> head_grads{head.gain, head.shift};
  LayerNorm<T>::second_order_to_stream(final_norm(at), final_norm_, space.stream_dot,
                                       features_delta_, {}, {space.stream_bar.data, false, nullptr},
                                       &head_grads, {}, {});
  BlockCotangents<S> bar = space.bar;
  bar.output = space.output_bar;
  Tensor<S> below = space.below;
  round<T, S>(space.stream_bar, bar.output);
  for (int64_t layer = config_.layers - 1; layer >= 0; --layer) {
    const auto index = static_cast<size_t>(layer);
    auto own = block_grads(at, grads, layer);
    ImageBlock::second_order(params(at, layer), traces_[index], space.dot[index], delta_[index],
                             bar, {space.stream_bar, below}, work_, own);
    std::swap(bar.output, below);
  }
  typename PatchEmbedding<T>::Grads patch_grads{grads.patch, grads.patch_bias};
  PatchEmbedding<T>::vjp(embedding(at), patches_, space.stream_bar, images_bar, Write::kAdd,
                         &patch_grads);
  PatchEmbedding<T>::vjp_of_jvp(embedding(at), patches_, images_dot, descent_, {}, Write::kReplace,
                                &patch_grads);
}

#define EBT_INSTANTIATE(T, S)            \
  template struct ImageSweepSpace<T, S>; \
  template class ImageTrunk<T, S>;
EBT_INSTANTIATE(float, float)
EBT_INSTANTIATE(float, Bfloat16)
EBT_INSTANTIATE(double, double)
#undef EBT_INSTANTIATE

}  // namespace ebt
