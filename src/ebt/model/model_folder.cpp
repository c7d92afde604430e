#include "ebt/model/model_folder.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "ebt/io/file.h"
#include "ebt/io/json.h"
#include "ebt/io/json_text.h"
#include "ebt/model/config.h"

namespace ebt {
namespace {

constexpr char kVersionKey[] = "format_version";
constexpr int64_t kConfigVersion = 1;
constexpr size_t kMaxConfig_bytes = 1'000'000;
constexpr char kKindKey[] = "kind";

struct KindEntry {
  ModelKind kind;
  const char* word;  // in config.json; text has none: the first models had none
  const char* of;    // what its models are models of
  const char* commands;
};
constexpr std::array kKinds = {
    KindEntry{ModelKind::kText, "", "text",
              "'ebt generate', 'ebt eval', 'ebt report' and 'ebt train --resume'"},
    KindEntry{ModelKind::kImage, "image", "images",
              "'ebt denoise', 'ebt eval image', 'ebt probe' and 'ebt train image --resume'"},
    KindEntry{ModelKind::kInfill, "infill", "whole answers",
              "'ebt solve', 'ebt eval infill' and 'ebt train infill --resume'"},
    KindEntry{ModelKind::kVideo, "video_train", "video",
              "'ebt eval video' and 'ebt train video --resume'"},
};

const KindEntry& entry_of(ModelKind kind) {
  return *std::find_if(kKinds.begin(), kKinds.end(),
                       [&](const KindEntry& entry) { return entry.kind == kind; });
}

// Published checkpoints store among the weights a setting, which is in our config.json, and the
// table of positions of images, which follows from the config.
bool is_no_weight(const std::string& name) {
  return name == "langevin_dynamics_noise_std" || name.ends_with("pos_embed");
}

}  // namespace

ModelConfigFile::ModelConfigFile(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / kConfigFile;
  source_ = "'" + path.string() + "'";
  object_ = parse_json(read_text_file(path, kMaxConfig_bytes), source_);
  EBT_CHECK(object_.is_object(), "{} must hold a JSON object", source_);
  unescape_strings(object_);
  const auto version = object_.find(kVersionKey);
  EBT_CHECK(version != object_.end() && version->is_number_integer(),
            "{} has no \"{}\": it is not the config of a model", source_, kVersionKey);
  EBT_CHECK(version->get<int64_t>() == kConfigVersion,
            "{} has format version {}, and this program reads version {}", source_, version->dump(),
            kConfigVersion);
  if (const auto kind = object_.find(kKindKey); kind != object_.end()) {
    const auto entry = std::find_if(kKinds.begin() + 1, kKinds.end(),
                                    [&](const KindEntry& known) { return *kind == known.word; });
    if (entry == kKinds.end()) {
      std::vector<std::string> words;
      std::transform(kKinds.begin() + 1, kKinds.end(), std::back_inserter(words),
                     [](const KindEntry& known) { return fmt::format("\"{}\"", known.word); });
      fail("{}: \"{}\" must be one of {}, or absent for text", source_, kKindKey,
           fmt::join(words, ", "));
    }
    kind_ = entry->kind;
  }
}

ModelConfigFile::ModelConfigFile(const std::filesystem::path& folder, ModelKind kind)
    : ModelConfigFile(folder) {
  const KindEntry& found = entry_of(kind_);
  EBT_CHECK(kind_ == kind, "'{}' holds a model of {}, not of {}: it is for {}", folder.string(),
            found.of, entry_of(kind).of, found.commands);
}

std::string ModelConfigFile::text(const char* part, const char* field,
                                  const std::string& fallback) const {
  const auto object = object_.find(part);
  if (object == object_.end() || !object->is_object() || !object->contains(field)) {
    return fallback;
  }
  std::string value;
  detail::read_field((*object)[field], source_, field, value);
  return value;
}

void ModelConfigFile::check_parts(const std::vector<std::string>& known) const {
  std::vector<std::string> keys = {kVersionKey};
  if (object_.contains(kKindKey)) {
    keys.emplace_back(kKindKey);
  }
  keys.insert(keys.end(), known.begin(), known.end());
  for (const auto& [key, value] : object_.items()) {
    EBT_CHECK(std::find(keys.begin(), keys.end(), key) != keys.end(),
              "{} has an unknown part {:?}; known parts are {}", source_, key,
              fmt::join(keys, ", "));
  }
}

void write_model_config(const std::filesystem::path& folder, ModelKind kind, const Json& parts) {
  Json object = {{kVersionKey, kConfigVersion}};
  if (kind != ModelKind::kText) {
    object[kKindKey] = entry_of(kind).word;
  }
  object.update(parts);
  escape_strings(object);  // paths may be any bytes
  write_file_atomically(folder / kConfigFile, object.dump(2) + '\n');
}

const char* subject_of(ModelKind kind) { return entry_of(kind).of; }

ModelKind model_kind(const std::filesystem::path& folder) { return ModelConfigFile(folder).kind(); }

std::shared_ptr<const Tokenizer> load_tokenizer(const std::filesystem::path& folder) {
  TextModelConfig model;
  ModelConfigFile(folder, ModelKind::kText).read("model", model);
  auto tokenizer = open_tokenizer(folder.string());
  // Published models have more weights than their tokenizers have tokens.
  EBT_CHECK(tokenizer->vocabulary_size() <= model.vocab_size,
            "'{}' describes a model of {} tokens, but its tokenizer has {}",
            (folder / kConfigFile).string(), model.vocab_size, tokenizer->vocabulary_size());
  return tokenizer;
}

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

template void add_weights(const ParameterBlock<float>&, SafetensorsWriter&);
template void add_weights(const ParameterBlock<double>&, SafetensorsWriter&);
template void load_weights(const SafetensorsFile&, ParameterBlock<float>&);
template void load_weights(const SafetensorsFile&, ParameterBlock<double>&);

}  // namespace ebt
