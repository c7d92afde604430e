// The engine's work on an image request, from the decoded image to PNGs.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ebt/serve/image_request.h"
#include "ebt/think/tiled_denoising.h"

namespace ebt {

// The image after some steps.
struct ImageState {
  int64_t step = 0;  // 0: what the model was given, noise included
  std::string png;
  std::optional<double> energy;  // of an EBT: the mean of its patches
  PatchMap patch_energy;         // likewise; no values for DiT
  std::optional<double> psnr;    // where noise was added; infinite for the clean image itself
};

struct DenoisedImage {
  // PNGs with the channels of the request's image; empty for a stream, whose states have them.
  std::string png;
  std::string noisy;  // what the model was given, where noise was added
  int64_t width = 0;
  int64_t height = 0;
  int64_t tiles = 0;
  int64_t steps = 0;           // of the tile that took most
  int64_t steps_of_tiles = 0;  // of all together
  std::vector<double> energy;  // of an EBT: of every state
  PatchMap patch_energy;       // likewise, of the result
  std::vector<double> psnr;    // of every state, where noise was added
  double seconds = 0;          // thinking, encoding included
};

struct ImageWatcher {
  // Called with every state if the request is to be streamed; may be empty.
  std::function<void(ImageState)> on_state;
  // Called with the share that is done; false ends the work.
  std::function<bool(double)> on_progress;
};

// Nothing where `on_progress` ended it. Throws Error when the model's result is not finite.
std::optional<DenoisedImage> denoise_requested(ImageDenoiser& denoiser, const ImageRequest& request,
                                               const ImageWatcher& watcher);

}  // namespace ebt
