// Images of any size through a denoiser of one size: overlapping tiles, blended.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "ebt/core/tensor.h"
#include "ebt/think/image_denoiser.h"

namespace ebt {

// A value for every patch of an image; patches at the right and bottom may reach beyond it.
struct PatchMap {
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t patch = 0;          // pixels
  std::vector<float> values;  // (rows, columns)
};

// The whole image after some steps.
struct TiledState {
  int64_t steps = 0;          // that were taken; 0: the image as it was given
  Tensor<const float> image;  // (C, H, W), not clamped
  // Of an EBT: the energy of this image's patches, and its mean. No values, and 0, for DiT.
  PatchMap patch_energy;
  double energy = 0;
};

struct TilingOptions {
  // Pixels that neighbouring tiles share at least, rounded up to whole patches; absent: a quarter
  // of a tile. Must leave a tile a patch of its own.
  std::optional<int64_t> overlap = std::nullopt;
  bool trajectory = false;  // also the image after every step
  // Called with every state, in order, as soon as all tiles have reached it: while the last batch
  // thinks. Until then memory holds the image after every step, as for `trajectory`.
  std::function<void(const TiledState&)> on_state = nullptr;
};

struct TiledResult {
  std::vector<float> image;  // (C, H, W), not clamped
  int64_t tiles = 0;
  int64_t steps = 0;           // of the tile that took most
  int64_t steps_of_tiles = 0;  // of all tiles together
  // Of an EBT: the mean energy of the patches of the image before every step, and of the final
  // image: steps + 1. A tile that has stopped counts with its final energy. Empty for DiT.
  std::vector<double> energy;
  PatchMap patch_energy;  // of the final image
  // (steps) of (C, H, W), if asked for: the image after every step.
  std::vector<std::vector<float>> trajectory;
  bool complete = true;  // false: `on_progress` ended it, and the rest is worth nothing
};

// Called after every step of every batch of tiles with the share of the work that is done, in
// [0, 1]; returning false ends it.
using TilingProgress = std::function<bool(double done)>;

// Takes the noise out of `image` (C, H, W), as x_t of NoiseSchedule, in batches of as many tiles as
// the denoiser takes: beside the image and the result, memory holds one batch. An image shorter
// than a tile, or no multiple of the patch, is continued by its reflection. Where a single tile is
// the image, the result is the denoiser's, to the bit; it depends on the size of the batches as
// much as the denoiser's does: by roundings at most. Throws Error when the channels differ, the
// overlap is too large, or a pixel of the result is not finite.
TiledResult denoise_tiled(ImageDenoiser& denoiser, Tensor<const float> image,
                          const DenoiseOptions& options, const TilingOptions& tiling,
                          const TilingProgress& on_progress);

}  // namespace ebt
