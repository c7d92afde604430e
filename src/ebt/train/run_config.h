// The config.json of a run's folder: every part of its config, so that the run can go on.
#pragma once

#include <filesystem>

#include "ebt/model/model_folder.h"
#include "ebt/train/config.h"
#include "ebt/train/image_train_config.h"

namespace ebt {

// Writes config.json, one object per part of the config. Throws Error when it cannot; an older file
// is then left as it was.
void save_config(const std::filesystem::path& folder, const TrainConfig& config);
void save_config(const std::filesystem::path& folder, const ImageTrainConfig& config);

// Read config.json. Parts and fields that it does not name keep their defaults. Throw Error as
// ModelConfigFile does, and when it names unknown parts or fields.
TrainConfig load_config(const std::filesystem::path& folder);
ImageTrainConfig load_image_config(const std::filesystem::path& folder);

}  // namespace ebt
