// The interface of image models for training and evaluation, whatever their architecture.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "ebt/core/tensor.h"
#include "ebt/model/engine_options.h"
#include "ebt/model/image_config.h"
#include "ebt/model/loss_sums.h"
#include "ebt/model/model.h"

namespace ebt {

// Images that a step is computed from.
template <class T>
struct ImageRows {
  Tensor<const T> images;  // (B, C, H, W), clean, pixels in [-1, 1]
  // Position of the first image in the whole batch (or validation set): random draws belong to
  // images, not to micro-batches.
  int64_t first_row = 0;
  // 1 / images in the whole batch: what turns sums into means.
  double inverse_image_count = 0;
};

// A model of images: weights, gradients and a workspace for at most B images at a time. Not
// thread-safe; kernels inside use all OpenMP threads.
template <class T>
class ImageModel : public Model<T, ImageModelConfig> {
 public:
  // Adds noise to the images, and the gradients of undoing it to gradients(); returns the losses:
  // mean squared errors per pixel, pixels in [-1, 1], of the EBT's image after every thinking step
  // (K), of DiT's prediction of the noise (1).
  // `seed` and `training_step` address the random draws.
  virtual LossSums train(const ImageRows<T>& rows, uint64_t seed, uint64_t training_step) = 0;
  // The losses of images whose noise is that of `seed` and their rows; learns nothing.
  virtual LossSums evaluate(const ImageRows<T>& rows, uint64_t seed) = 0;
};

// What the models are trained to undo.
struct ImageTrainingNoise {
  double level = 0.1;  // of the EBT: NoiseSchedule::step_of_level. DiT learns all levels.

  // Throws Error naming the first impossible field.
  void check() const;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("noise-level", level,
          "noise that an EBT is trained to undo, as a share of the diffusion's 1000 steps; DiT "
          "learns all levels");
  }
};

// Bytes that make_image_model will take for `rows` images, weights and, for training, gradients and
// optimizer moments included.
template <class T>
size_t image_model_bytes(const ImageModelConfig& model, const ImageThinkingConfig& thinking,
                         int64_t rows, const EngineOptions& options);

// Builds a model whose weights are zeros and whose workspace fits `rows` images.
// Throws Error when the configuration is impossible or its memory is refused.
template <class T>
std::unique_ptr<ImageModel<T>> make_image_model(const ImageModelConfig& model,
                                                const ImageThinkingConfig& thinking,
                                                const ImageTrainingNoise& noise, int64_t rows,
                                                const EngineOptions& options);

// Fills the weights with their initial values, alpha with thinking.step_size. The same seed gives
// the same weights.
template <class T>
void initialize_weights(ImageModel<T>& model, const ImageThinkingConfig& thinking, uint64_t seed);

}  // namespace ebt
