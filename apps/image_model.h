// Shared by the commands that use a trained image model.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "ebt/core/share_progress.h"
#include "ebt/data/image/image_data.h"
#include "ebt/think/image_denoiser.h"

namespace ebt {

struct OpenedImageModel {
  std::unique_ptr<ImageDenoiser> denoiser;
  std::string name;  // "EBT" or "DiT"

  bool thinks() const { return denoiser->config().arch == ImageArchitecture::kEbt; }
};

// Opens the model of --model (or --baseline). Throws Error when the folder is not named, or holds
// no model of images.
OpenedImageModel open_image_model(const std::string& folder, int64_t batch,
                                  const std::string& precision);

// Images that were left out, on stderr: the first sentences, and the number.
void note_bad_images(int64_t count, const std::vector<std::string>& sentences,
                     ShareProgress& progress);

}  // namespace ebt
