#include "ebt/train/model_folder.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <vector>

#include "ebt/core/bfloat16.h"
#include "ebt/core/config_fields.h"
#include "ebt/io/file.h"
#include "ebt/io/json.h"
#include "ebt/model/weights.h"
#include "ebt/think/text_generator.h"

namespace ebt {
namespace {

constexpr int64_t kConfigVersion = 1;
constexpr size_t kMaxConfig_bytes = 1'000'000;
// Published checkpoints store this setting among the weights; ours is in config.json.
constexpr char kStoredSetting[] = "langevin_dynamics_noise_std";

// Calls visit(name, part) for every part of a run's config.
template <class Visitor>
void visit_parts(TrainConfig& config, Visitor&& visit) {
  visit("model", config.model);
  visit("thinking", config.thinking);
  visit("optimizer", config.optimizer);
  visit("data", config.data);
  visit("run", config.run);
}

// Throws Error unless the tensors of the file are those of the layout.
void check_weights(const SafetensorsFile& file, const ParameterLayout& layout) {
  const std::string name = file.path().string();
  for (const StoredTensor& tensor : file.tensors()) {
    EBT_CHECK(layout.contains(tensor.name) || tensor.name == kStoredSetting,
              "'{}' has a tensor {:?}, which is no weight of the model that {} describes", name,
              tensor.name.substr(0, 100), kConfigFile);
  }
  for (const ParameterEntry& entry : layout.entries()) {
    const Shape& stored = file.tensor(entry.name).shape;
    EBT_CHECK(stored == entry.shape, "'{}' has a tensor {:?} of shape {}, but {} describes {}",
              name, entry.name, stored.to_string(), kConfigFile, entry.shape.to_string());
  }
}

}  // namespace

void save_config(const std::filesystem::path& folder, const TrainConfig& config) {
  Json object = {{"format_version", kConfigVersion}};
  TrainConfig copy = config;
  visit_parts(copy, [&](const char* name, auto& part) { object[name] = fields_to_json(part); });
  write_file_atomically(folder / kConfigFile, object.dump(2) + '\n');
}

TrainConfig load_config(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / kConfigFile;
  const std::string source = "'" + path.string() + "'";
  const nlohmann::json object = parse_json(read_text_file(path, kMaxConfig_bytes), source);
  EBT_CHECK(object.is_object(), "{} must hold a JSON object", source);
  const auto version = object.find("format_version");
  EBT_CHECK(version != object.end() && version->is_number_integer(),
            "{} has no \"format_version\": it is not the config of a model", source);
  EBT_CHECK(version->get<int64_t>() == kConfigVersion,
            "{} has format version {}, and this program reads version {}", source, version->dump(),
            kConfigVersion);
  TrainConfig config;
  config.model.norm_eps = ModelConfig{}.norm_eps;  // what a file from elsewhere leaves unsaid
  std::vector<std::string> known = {"format_version"};
  visit_parts(config, [&](const char* name, auto& part) {
    known.emplace_back(name);
    if (const auto entry = object.find(name); entry != object.end()) {
      fields_from_json(*entry, source, part);
    }
  });
  for (const auto& [key, value] : object.items()) {
    EBT_CHECK(std::find(known.begin(), known.end(), key) != known.end(),
              "{} has an unknown part {:?}; known parts are {}", source, key,
              fmt::join(known, ", "));
  }
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
    file.read(entry.name, weights.tensor(entry.name));
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

std::unique_ptr<Generator> load_generator(const std::filesystem::path& folder,
                                          const GeneratorOptions& options) {
  const Precision precision = precision_of(options.precision);
  const TrainConfig config = load_config(folder);
  config.model.check();
  const SafetensorsFile file(folder / kModelFile);
  auto layout = std::make_unique<ParameterLayout>(text_model_layout(config.model));
  // A config that describes a larger model than the file holds must not get to allocate it.
  check_weights(file, *layout);
  ParameterBlock<float> weights(*layout);
  load_weights(file, weights);
  if (precision == Precision::kBf16) {
    return std::make_unique<TextGenerator<float, Bfloat16>>(
        config.model, config.thinking, std::move(layout), std::move(weights), options.texts);
  }
  return std::make_unique<TextGenerator<float>>(config.model, config.thinking, std::move(layout),
                                                std::move(weights), options.texts);
}

template void add_weights(const ParameterBlock<float>&, SafetensorsWriter&);
template void add_weights(const ParameterBlock<double>&, SafetensorsWriter&);
template void load_weights(const SafetensorsFile&, ParameterBlock<float>&);
template void load_weights(const SafetensorsFile&, ParameterBlock<double>&);
template std::unique_ptr<TextModel<float>> load_model(const std::filesystem::path&, int64_t);
template std::unique_ptr<TextModel<double>> load_model(const std::filesystem::path&, int64_t);

}  // namespace ebt
