// Noise taken out of images, by thinking or by diffusion: what commands and the server ask of an
// image model.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "ebt/core/tensor.h"
#include "ebt/model/image_config.h"

namespace ebt {

struct DenoiseOptions {
  // Thinking steps of an EBT, forward passes of DiT (spread evenly over its timesteps from the
  // noise's down to 0, and never more than there are).
  int64_t steps = 3;
  // An EBT stops at an image as soon as a step lowers its energy by less than this; 0: never.
  double energy_tolerance = 0;
  // Noise of the images, a timestep of the 1000-step NoiseSchedule. DiT starts there; an EBT knows
  // nothing of it.
  int64_t timestep = 99;
};

// One step of a batch, after it was taken.
struct DenoiseStep {
  int64_t step = 0;             // counted from 0
  Tensor<const float> images;   // (B, C, H, W) after the step
  Tensor<const bool> thinking;  // (B) whether the image took the step, or had stopped before
  // Of an EBT, before the step (the last call has those of the final images, and step = steps
  // taken); absent for DiT.
  Tensor<const float> energy;        // (B)
  Tensor<const float> patch_energy;  // (B, rows of patches, columns of patches); their mean is it
};

// Not thread-safe.
class ImageDenoiser {
 public:
  virtual ~ImageDenoiser() = default;

  virtual const ImageModelConfig& config() const = 0;
  // The most images of the model's size that one call takes.
  virtual int64_t batch() const = 0;
  // The timestep whose noise the model was trained to undo; of DiT, which undoes all, the same
  // default.
  virtual int64_t trained_timestep() const = 0;

  // images (B, C, H, W), pixels in [-1, 1], as x_t of NoiseSchedule; replaced by the result, which
  // is not clamped. `on_step` may be empty; returning false from it ends the work early. An image's
  // result depends on the others of its batch by roundings at most.
  virtual void denoise(Tensor<float> images, const DenoiseOptions& options,
                       const std::function<bool(const DenoiseStep&)>& on_step) = 0;

  // What the last block knows of every patch, averaged over patches: features (B, D) of images
  // (B, C, H, W). DiT sees them as images at `timestep`.
  virtual void features(Tensor<const float> images, int64_t timestep, Tensor<float> features) = 0;
};

// mean (B, D) of features of patches (B, T, D).
void mean_over_patches(Tensor<const float> patches, Tensor<float> mean);

}  // namespace ebt
