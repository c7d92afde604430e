// Where the blocks of image models run: weights, modulation by a condition, and positions.
#pragma once

#include "ebt/core/arena.h"
#include "ebt/layers/patch_embedding.h"
#include "ebt/model/energy_stream.h"
#include "ebt/model/engine_options.h"
#include "ebt/model/image_weights.h"
#include "ebt/model/modulation.h"

namespace ebt {

template <class T, class S>
using ImageStack = BlockStack<T, S, BidirectionalAttention<T, S>, ImageStyle>;

// Images do not see each other, so a batch of `rows` is computed in chunks: of as many images as
// keep products large and activations near the cache.
int64_t images_per_chunk(const ImageModelConfig& config, int64_t rows,
                         const EngineOptions& options);

// The shape of a stack of n images.
StackShape image_stack_shape(const ImageModelConfig& config, int64_t images);

template <class T, class S>
struct ImageLandscape {
  const ImageModelConfig& config;
  const ImageOperands<T, S>& weights;
  const Modulation<T>& modulation;
  Tensor<const T> positions;  // (T, D)

  typename ImageStack<T, S>::Params stack() const;
  typename ImageStack<T, S>::Grads stack_grads(const ImageWeights<T>& grads) const;
  // Of an EBT: with the energy head above.
  typename ImageEnergyStream<T, S>::Params energy() const {
    return {stack(), weights.values().output};
  }
  typename ImageEnergyStream<T, S>::Grads energy_grads(const ImageWeights<T>& grads) const {
    return {stack_grads(grads), grads.output};
  }
  typename PatchEmbedding<T>::Params embedding() const {
    return {config.patch, weights.values().patch, weights.values().patch_bias, positions};
  }
};

// The condition of an EBT of images, which is the same for all of them: its modulation and the
// table of positions.
template <class T, class S>
class ImageCondition {
 public:
  explicit ImageCondition(const ImageModelConfig& config);

  // Computes the modulation of these weights.
  void forward(const ImageOperands<T, S>& weights);
  // Adds the gradients of the modulation's parameters.
  void vjp(const ImageOperands<T, S>& weights, const ImageWeights<T>& grads);
  ImageLandscape<T, S> landscape(const ImageOperands<T, S>& weights) const {
    return {config_, weights, modulation_, positions_};
  }

 private:
  ImageModelConfig config_;
  Arena arena_;
  Modulation<T> modulation_;
  Tensor<T> positions_;
};

}  // namespace ebt
