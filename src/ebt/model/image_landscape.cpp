#include "ebt/model/image_landscape.h"

#include <algorithm>

namespace ebt {

int64_t images_per_chunk(const ImageModelConfig& config, int64_t rows,
                         const EngineOptions& options) {
  constexpr int64_t kPositions = 512;
  const int64_t positions = options.chunk_positions > 0 ? options.chunk_positions : kPositions;
  return std::max<int64_t>(std::min(positions / config.patches(), rows), 1);
}

StackShape image_stack_shape(const ImageModelConfig& config, int64_t images) {
  return {config, config.layers, images, config.patches()};
}

template <class T, class S>
typename ImageStack<T, S>::Params ImageLandscape<T, S>::stack() const {
  const auto eps = static_cast<T>(config.norm_eps);
  typename ImageStack<T, S>::Params all;
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    all.blocks.push_back({weights.block(layer),
                          modulation.half(layer, 0),
                          modulation.half(layer, 1),
                          {},
                          {config.heads},
                          eps,
                          weights.values().blocks[static_cast<size_t>(layer)].biases});
  }
  const HalfModulation<const T> head = modulation.head();
  all.norm = {head.gain, eps, head.shift};
  return all;
}

template <class T, class S>
typename ImageStack<T, S>::Grads ImageLandscape<T, S>::stack_grads(
    const ImageWeights<T>& grads) const {
  typename ImageStack<T, S>::Grads all;
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    all.blocks.push_back({grads.blocks[static_cast<size_t>(layer)],
                          modulation.half_bar(layer, 0),
                          modulation.half_bar(layer, 1),
                          {}});
  }
  const HalfModulation<T> head = modulation.head_bar();
  all.norm = {head.gain, head.shift};
  return all;
}

namespace {

// Bytes of the modulation and the table of positions.
template <class T>
size_t condition_bytes(const ImageModelConfig& config) {
  Arena measure;
  const Modulation<T> modulation(measure, config.layers, config.width, 1);
  measure.take<T>({config.patches(), config.width});
  return measure.peak_bytes();
}

}  // namespace

template <class T, class S>
ImageCondition<T, S>::ImageCondition(const ImageModelConfig& config)
    : config_(config),
      arena_(condition_bytes<T>(config)),
      modulation_(arena_, config.layers, config.width, 1),
      positions_(arena_.take<T>({config.patches(), config.width})) {
  image_positions(config.patch_rows(), config.patch_columns(), positions_);
}

template <class T, class S>
void ImageCondition<T, S>::forward(const ImageOperands<T, S>& weights) {
  modulation_.forward(weights.values().modulations, weights.values().condition);
}

template <class T, class S>
void ImageCondition<T, S>::vjp(const ImageOperands<T, S>& weights, const ImageWeights<T>& grads) {
  modulation_.vjp(weights.values().modulations, grads.modulations, grads.condition);
}

#define EBT_INSTANTIATE(T, S)           \
  template struct ImageLandscape<T, S>; \
  template class ImageCondition<T, S>;
EBT_INSTANTIATE(float, float)
EBT_INSTANTIATE(float, Bfloat16)
EBT_INSTANTIATE(double, double)
#undef EBT_INSTANTIATE

}  // namespace ebt
