// Evaluation of denoisers on noisy images, beside a classical filter and no model at all.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ebt/eval/image_grid.h"
#include "ebt/eval/image_set.h"
#include "ebt/think/image_denoiser.h"

namespace ebt {

// A model to measure.
struct ImageContender {
  ImageDenoiser* denoiser = nullptr;
  std::string name;  // "EBT", "DiT"
  // Passes to measure after, rising. An EBT takes the most once, and is measured on the way; DiT
  // spreads its passes over the timesteps, so each is a run of its own. It has no more passes than
  // timesteps: larger numbers are measured as one row, of all of them.
  std::vector<int64_t> passes;
};

struct ImageMeasurementOptions {
  // Measured on the centres of the images, cut to the size of the models, which must be the same.
  std::vector<ImageNoise> on_crops;
  // Measured on whole images, by tiles.
  std::vector<ImageNoise> on_whole_images;
  int64_t images = 0;              // spread evenly over the set; 0: all
  std::optional<int64_t> overlap;  // of tiles, in pixels; absent: a quarter of a tile
  bool filter = true;              // also non-local means
  uint64_t seed = 0;               // of the noise
};

// Called after every piece of work with the share that is done, in [0, 1].
using ImageMeasurementProgress = std::function<void(double done)>;

// Measures all contenders on the same noise: of an image, it follows from the seed and the image's
// number in the set. Images that cannot be read are left out and counted. Rows come by noise, then
// by method: noisy input, filter, contenders in order. Throws Error when no image can be read, or a
// model leaves pixels that are not finite.
ImageGrid measure_images(ImageSet& set, const std::vector<ImageContender>& contenders,
                         const ImageMeasurementOptions& options,
                         const ImageMeasurementProgress& on_progress);

}  // namespace ebt
