// The config.json of a run's folder: every part of its config, so that the run can go on.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "ebt/model/model_folder.h"
#include "ebt/train/run_settings.h"
#include "ebt/train/streamed_data.h"

namespace ebt {

// Writes config.json, one object per part of the config. Throws Error when it cannot; an older file
// is then left as it was.
template <class Config>
void save_config(const std::filesystem::path& folder, Config config) {
  // The folder may move, and what lies in it with it.
  if (config.data.data == absolute_path((folder / kStreamFile).string())) {
    config.data.data = kStreamFile;
  }
  Json parts = Json::object();
  config.visit_parts([&](const char* name, auto& part) { parts[name] = fields_to_json(part); });
  write_model_config(folder, Config::kKind, parts);
}

// Reads config.json. Parts and fields that it does not name keep their defaults. Throws Error as
// ModelConfigFile does, and when it names unknown parts or fields.
template <class Config>
Config load_config(const std::filesystem::path& folder) {
  Config config;
  // What a file from elsewhere leaves unsaid of the model is as published, not as runs choose it.
  config.model = decltype(config.model){};
  const ModelConfigFile file(folder, Config::kKind);
  std::vector<std::string> known;
  config.visit_parts([&](const char* name, auto& part) {
    known.emplace_back(name);
    file.read(name, part);
  });
  file.check_parts(known);
  if (config.data.data == kStreamFile) {
    config.data.data = (folder / kStreamFile).string();
  }
  return config;
}

}  // namespace ebt
