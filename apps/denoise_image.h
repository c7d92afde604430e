// Denoising of one image file, for `ebt denoise`.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ebt/core/config_fields.h"
#include "ebt/eval/image_noise.h"
#include "ebt/eval/image_quality.h"
#include "ebt/think/tiled_denoising.h"
#include "image_model.h"

namespace ebt {

// What is done to every image.
struct DenoiseJob {
  OpenedImageModel model;
  std::optional<OpenedImageModel> baseline;
  int64_t baseline_steps = 100;
  DenoiseOptions options;
  TilingOptions tiling;
  ImageNoise noise;         // of the input
  bool adds_noise = false;  // it is added first, and the result compared with what there was
  uint64_t seed = 0;
};

// What became of an image.
struct DenoisedImage {
  Image result;                // with the channels of the input
  Image model_result;          // with those of the model
  std::optional<Image> noisy;  // where noise was added: what the model was given, not scaled
  TiledResult tiled;
  double seconds = 0;
  // Where noise was added, by steps: of the noisy image, after every step if they were kept, else
  // of the result.
  std::vector<ImageQuality> quality;
  std::optional<Image> baseline;
  std::optional<ImageQuality> baseline_quality;
};

// `number` tells the noise of images apart. `on_progress` is told the share that is done. Throws
// Error when the image has colours and the model has not.
DenoisedImage denoise_image(const DenoiseJob& job, const Image& image, const std::string& name,
                            int64_t number, const std::function<void(double)>& on_progress);

// A contact sheet of what became of an image, as SVG.
std::string sheet_of(const DenoiseJob& job, const Image& image, const DenoisedImage& denoised,
                     const std::string& name);

// The numbers of an image, for --json.
Json json_of(const DenoisedImage& denoised);

}  // namespace ebt
