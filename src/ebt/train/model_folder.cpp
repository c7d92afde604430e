#include "ebt/train/model_folder.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <type_traits>
#include <vector>

#include "ebt/core/bfloat16.h"
#include "ebt/core/config_fields.h"
#include "ebt/io/file.h"
#include "ebt/io/json.h"
#include "ebt/io/json_text.h"
#include "ebt/model/weights.h"
#include "ebt/think/text_generator.h"
#include "ebt/train/streamed_data.h"

namespace ebt {
namespace {

constexpr int64_t kConfigVersion = 1;
constexpr size_t kMaxConfig_bytes = 1'000'000;
// Published checkpoints store among the weights a setting, which is in our config.json, and the
// table of positions of images, which follows from the config.
bool is_no_weight(const std::string& name) {
  return name == "langevin_dynamics_noise_std" || name.ends_with("pos_embed");
}

// A config without a kind is of text: the first models had none.
constexpr char kKindKey[] = "kind";
constexpr char kImageKind[] = "image";

template <class Config>
constexpr ModelKind kind_of() {
  return std::is_same_v<Config, ImageTrainConfig> ? ModelKind::kImage : ModelKind::kText;
}

// A config.json that was read, of a version and kind that are known.
struct ConfigFile {
  std::string source;  // its path in quotes, as errors begin
  nlohmann::json object;
  ModelKind kind = ModelKind::kText;
};

ConfigFile read_config_file(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / kConfigFile;
  ConfigFile file;
  file.source = "'" + path.string() + "'";
  file.object = parse_json(read_text_file(path, kMaxConfig_bytes), file.source);
  EBT_CHECK(file.object.is_object(), "{} must hold a JSON object", file.source);
  unescape_strings(file.object);
  const auto version = file.object.find("format_version");
  EBT_CHECK(version != file.object.end() && version->is_number_integer(),
            "{} has no \"format_version\": it is not the config of a model", file.source);
  EBT_CHECK(version->get<int64_t>() == kConfigVersion,
            "{} has format version {}, and this program reads version {}", file.source,
            version->dump(), kConfigVersion);
  if (const auto kind = file.object.find(kKindKey); kind != file.object.end()) {
    EBT_CHECK(*kind == kImageKind, "{}: \"kind\" must be \"image\", or absent for text",
              file.source);
    file.kind = ModelKind::kImage;
  }
  return file;
}

// Throws Error that says what the folder holds, and which commands it is for.
void check_kind(const std::filesystem::path& folder, ModelKind found, ModelKind wanted) {
  const bool images = found == ModelKind::kImage;
  EBT_CHECK(found == wanted, "'{}' holds a model of {}: it is for {}", folder.string(),
            images ? "images, not of text" : "text, not of images",
            images ? "'ebt denoise', 'ebt eval image', 'ebt probe' and 'ebt train image --resume'"
                   : "'ebt generate', 'ebt eval', 'ebt report' and 'ebt train --resume'");
}

template <class Config>
void save_parts(const std::filesystem::path& folder, Config config) {
  Json object = {{"format_version", kConfigVersion}};
  if (kind_of<Config>() == ModelKind::kImage) {
    object[kKindKey] = kImageKind;
  }
  // The folder may move, and what lies in it with it.
  if (config.data.data == absolute_path((folder / kStreamFile).string())) {
    config.data.data = kStreamFile;
  }
  config.visit_parts([&](const char* name, auto& part) { object[name] = fields_to_json(part); });
  escape_strings(object);  // paths may be any bytes
  write_file_atomically(folder / kConfigFile, object.dump(2) + '\n');
}

template <class Config>
void load_parts(const std::filesystem::path& folder, Config& config) {
  const ConfigFile file = read_config_file(folder);
  check_kind(folder, file.kind, kind_of<Config>());
  std::vector<std::string> known = {"format_version"};
  if (file.kind == ModelKind::kImage) {
    known.emplace_back(kKindKey);
  }
  config.visit_parts([&](const char* name, auto& part) {
    known.emplace_back(name);
    if (const auto entry = file.object.find(name); entry != file.object.end()) {
      fields_from_json(*entry, file.source, part);
    }
  });
  for (const auto& [key, value] : file.object.items()) {
    EBT_CHECK(std::find(known.begin(), known.end(), key) != known.end(),
              "{} has an unknown part {:?}; known parts are {}", file.source, key,
              fmt::join(known, ", "));
  }
  if (config.data.data == kStreamFile) {
    config.data.data = (folder / kStreamFile).string();
  }
}

}  // namespace

void check_weights(const SafetensorsFile& file, const ParameterLayout& layout) {
  const std::string name = file.path().string();
  for (const StoredTensor& tensor : file.tensors()) {
    EBT_CHECK(layout.contains(tensor.name) || is_no_weight(tensor.name),
              "'{}' has a tensor {:?}, which is no weight of the model that {} describes", name,
              tensor.name.substr(0, 100), kConfigFile);
  }
  for (const ParameterEntry& entry : layout.entries()) {
    const Shape& stored = file.tensor(entry.name).shape;
    EBT_CHECK(stored == entry.shape, "'{}' has a tensor {:?} of shape {}, but {} describes {}",
              name, entry.name, stored.to_string(), kConfigFile, entry.shape.to_string());
  }
}

void save_config(const std::filesystem::path& folder, const TrainConfig& config) {
  save_parts(folder, config);
}
void save_config(const std::filesystem::path& folder, const ImageTrainConfig& config) {
  save_parts(folder, config);
}

ModelKind model_kind(const std::filesystem::path& folder) { return read_config_file(folder).kind; }

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

std::shared_ptr<const Tokenizer> load_tokenizer(const std::filesystem::path& model_folder) {
  const TrainConfig config = load_config(model_folder);
  auto tokenizer = open_tokenizer(model_folder.string());
  // Published models have more weights than their tokenizers have tokens.
  EBT_CHECK(tokenizer->vocabulary_size() <= config.model.vocab_size,
            "'{}' describes a model of {} tokens, but its tokenizer has {}",
            (model_folder / kConfigFile).string(), config.model.vocab_size,
            tokenizer->vocabulary_size());
  return tokenizer;
}

template <class T>
void add_weights(const ParameterBlock<T>& weights, SafetensorsWriter& writer) {
  for (const ParameterEntry& entry : weights.layout().entries()) {
    writer.add(entry.name, weights.tensor(entry.name));
  }
}

template <class T>
void load_weights(const SafetensorsFile& file, ParameterBlock<T>& weights) {
  check_weights(file, weights.layout());
  for (const ParameterEntry& entry : weights.layout().entries()) {
    const Tensor<T> values = weights.tensor(entry.name);
    file.read(entry.name, values);
    const auto bad =
        std::find_if_not(values.begin(), values.end(), [](T x) { return std::isfinite(x); });
    EBT_CHECK(bad == values.end(),
              "'{}': the weights '{}' are not finite (number {} is {}): the file is damaged, or "
              "training diverged",
              file.path().string(), entry.name, bad - values.begin(), *bad);
  }
}

template <class T>
std::unique_ptr<TextModel<T>> load_model(const std::filesystem::path& folder, int64_t rows) {
  const TrainConfig config = load_config(folder);
  config.model.check();
  config.thinking.check();
  const SafetensorsFile file(folder / kModelFile);
  // A config that describes a larger model than the file holds must not get to allocate it.
  check_weights(file, text_model_layout(config.model));
  EngineOptions options;
  options.training = false;
  options.precision = engine_options<T>(config).precision;
  auto model =
      make_text_model<T>(config.model, config.thinking, rows, config.model.context, options);
  load_weights(file, model->weights());
  return model;
}

namespace {

// The model of a folder, read for generation.
struct LoadedText {
  TrainConfig config;
  std::unique_ptr<ParameterLayout> layout;
  ParameterBlock<float> weights;
};

LoadedText load_text(const std::filesystem::path& folder) {
  TrainConfig config = load_config(folder);
  config.model.check();
  const SafetensorsFile file(folder / kModelFile);
  auto layout = std::make_unique<ParameterLayout>(text_model_layout(config.model));
  // A config that describes a larger model than the file holds must not get to allocate it.
  check_weights(file, *layout);
  ParameterBlock<float> weights(*layout);
  load_weights(file, weights);
  return {std::move(config), std::move(layout), std::move(weights)};
}

}  // namespace

std::unique_ptr<TextGenerator<float>> load_text_generator(const std::filesystem::path& folder,
                                                          int64_t texts,
                                                          ThinkingNoise<float> noise) {
  LoadedText text = load_text(folder);
  return std::make_unique<TextGenerator<float>>(text.config.model, text.config.thinking,
                                                std::move(text.layout), std::move(text.weights),
                                                texts, std::move(noise));
}

std::unique_ptr<Generator> load_generator(const std::filesystem::path& folder,
                                          const GeneratorOptions& options) {
  if (precision_of(options.precision) != Precision::kBf16) {
    return load_text_generator(folder, options.texts);
  }
  LoadedText text = load_text(folder);
  return std::make_unique<TextGenerator<float, Bfloat16>>(text.config.model, text.config.thinking,
                                                          std::move(text.layout),
                                                          std::move(text.weights), options.texts);
}

template void add_weights(const ParameterBlock<float>&, SafetensorsWriter&);
template void add_weights(const ParameterBlock<double>&, SafetensorsWriter&);
template void load_weights(const SafetensorsFile&, ParameterBlock<float>&);
template void load_weights(const SafetensorsFile&, ParameterBlock<double>&);
template std::unique_ptr<TextModel<float>> load_model(const std::filesystem::path&, int64_t);
template std::unique_ptr<TextModel<double>> load_model(const std::filesystem::path&, int64_t);

}  // namespace ebt
