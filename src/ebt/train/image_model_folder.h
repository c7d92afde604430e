// The folder of an image model, opened for use.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "ebt/think/image_denoiser.h"

namespace ebt {

// Opens the image model of a folder for up to `batch` images at a time, in "fp32", "bf16" or
// "auto". Throws Error when the folder holds no image model, or a damaged one.
std::unique_ptr<ImageDenoiser> load_image_denoiser(const std::filesystem::path& folder,
                                                   int64_t batch, const std::string& precision);

}  // namespace ebt
