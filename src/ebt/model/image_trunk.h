// The trunk that EBTs of images and DiT share: patch embedding, blocks, and a last modulated norm,
// from images (B, C, H, W) to features (B, T, D), under the four rules.
#pragma once

#include <vector>

#include "ebt/core/arena.h"
#include "ebt/layers/patch_embedding.h"
#include "ebt/model/block.h"
#include "ebt/model/engine_options.h"
#include "ebt/model/image_weights.h"
#include "ebt/model/modulation.h"

namespace ebt {

// Images do not see each other, so a batch of `rows` is computed in chunks: of as many images as
// keep products large and activations near the cache.
int64_t images_per_chunk(const ImageModelConfig& config, int64_t rows,
                         const EngineOptions& options);

// Everything that the rules share about where they run.
template <class T, class S>
struct ImageLandscape {
  const ImageOperands<T, S>& weights;
  const Modulation<T>& modulation;
  Tensor<const T> positions;  // (T, D)
};

// What of a forward pass is kept for later rules.
enum class TrunkUse {
  kForward,     // nothing
  kGradient,    // what vjp reads
  kSecondOrder  // and, of every block, the cotangents of vjp
};

// Memory that second-order sweeps share: tangents of all blocks, cotangents of one.
template <class T, class S>
struct ImageSweepSpace {
  std::vector<BlockValues<S>> dot;
  BlockCotangents<S> bar;
  Tensor<S> output_bar, below;       // (B, T, D)
  Tensor<T> stream_dot, stream_bar;  // (B, T, D)
  Tensor<T> features_dot;            // (B, T, D)

  static ImageSweepSpace take(Arena& arena, const ImageModelConfig& config, int64_t batch);
};

template <class T, class S>
class ImageTrunk {
 public:
  // For `batch` images.
  ImageTrunk(Arena& arena, const ImageModelConfig& config, int64_t batch, TrunkUse use);

  // The features of images, which stay valid until the next call.
  Tensor<const T> forward(const ImageLandscape<T, S>& at, Tensor<const T> images);
  // images_bar = J^T features_bar, or nothing where it is absent. With `grads`, parameters and
  // modulation get theirs.
  void vjp(const ImageLandscape<T, S>& at, Tensor<const T> features_bar, Tensor<T> images_bar,
           const ImageWeights<T>* grads);
  // After vjp: the tangents of everything along images_dot. Returns those of the features.
  Tensor<const T> jvp(const ImageLandscape<T, S>& at, Tensor<const T> images_dot,
                      ImageSweepSpace<T, S>& space);
  // After jvp: adds the gradient of <features_bar of the last vjp, features_dot> to parameters and
  // modulation, and to images_bar where that is not absent.
  void second_order(const ImageLandscape<T, S>& at, Tensor<const T> images_dot,
                    ImageSweepSpace<T, S>& space, Tensor<T> images_bar,
                    const ImageWeights<T>& grads);

 private:
  using ImageBlock = Block<T, S, BidirectionalAttention<T, S>, ImageStyle>;
  typename ImageBlock::Params params(const ImageLandscape<T, S>& at, int64_t layer) const;
  typename ImageBlock::Grads block_grads(const ImageLandscape<T, S>& at,
                                         const ImageWeights<T>& grads, int64_t layer) const;
  NormParams<T> final_norm(const ImageLandscape<T, S>& at) const;
  typename PatchEmbedding<T>::Params embedding(const ImageLandscape<T, S>& at) const;

  ImageModelConfig config_;
  typename PatchEmbedding<T>::Saved patches_;
  Tensor<T> stream_, features_;  // (B, T, D)
  std::vector<BlockTrace<T, S>> traces_;
  NormSaved<T, T> final_norm_;
  BlockWork<S> work_;
  std::vector<BlockCotangents<S>> delta_;  // their memory is one block's unless second order
  Tensor<S> below_;                        // (B, T, D)
  Tensor<T> features_delta_, descent_;     // (B, T, D)
};

}  // namespace ebt
