#include "ebt/train/run_config.h"

#include <string>
#include <type_traits>
#include <vector>

#include "ebt/train/streamed_data.h"

namespace ebt {
namespace {

template <class Config>
constexpr ModelKind kind_of() {
  return std::is_same_v<Config, ImageTrainConfig> ? ModelKind::kImage : ModelKind::kText;
}

template <class Config>
void save_parts(const std::filesystem::path& folder, Config config) {
  // The folder may move, and what lies in it with it.
  if (config.data.data == absolute_path((folder / kStreamFile).string())) {
    config.data.data = kStreamFile;
  }
  Json parts = Json::object();
  config.visit_parts([&](const char* name, auto& part) { parts[name] = fields_to_json(part); });
  write_model_config(folder, kind_of<Config>(), parts);
}

template <class Config>
void load_parts(const std::filesystem::path& folder, Config& config) {
  const ModelConfigFile file(folder, kind_of<Config>());
  std::vector<std::string> known;
  config.visit_parts([&](const char* name, auto& part) {
    known.emplace_back(name);
    file.read(name, part);
  });
  file.check_parts(known);
  if (config.data.data == kStreamFile) {
    config.data.data = (folder / kStreamFile).string();
  }
}

}  // namespace

void save_config(const std::filesystem::path& folder, const TrainConfig& config) {
  save_parts(folder, config);
}
void save_config(const std::filesystem::path& folder, const ImageTrainConfig& config) {
  save_parts(folder, config);
}

TrainConfig load_config(const std::filesystem::path& folder) {
  TrainConfig config;
  config.model.norm_eps = ModelConfig{}.norm_eps;  // what a file from elsewhere leaves unsaid
  load_parts(folder, config);
  return config;
}

ImageTrainConfig load_image_config(const std::filesystem::path& folder) {
  ImageTrainConfig config;
  load_parts(folder, config);
  return config;
}

}  // namespace ebt
