// A model folder: config.json and model.safetensors. These two make a model; a folder that a run
// writes holds more (train/checkpoint.h). A part of config.json is what one config struct visits.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ebt/core/config_fields.h"
#include "ebt/data/tokenizer/tokenizer.h"
#include "ebt/io/safetensors.h"
#include "ebt/model/model_kind.h"
#include "ebt/model/parameters.h"

namespace ebt {

inline constexpr char kConfigFile[] = "config.json";
inline constexpr char kModelFile[] = "model.safetensors";

// The config.json of a folder, of a version and kind that are known.
class ModelConfigFile {
 public:
  // Throws Error when the file is missing, damaged, of a newer version, or of a model that this
  // program does not know.
  explicit ModelConfigFile(const std::filesystem::path& folder);
  // The same; throws Error also when the model is of another kind, and says which commands it is
  // for.
  ModelConfigFile(const std::filesystem::path& folder, ModelKind kind);

  ModelKind kind() const { return kind_; }
  // Sets the fields of a part that the file names; the others keep their values. Throws Error as
  // fields_from_json does.
  template <class Part>
  void read(const char* name, Part& part) const {
    if (const auto entry = object_.find(name); entry != object_.end()) {
      fields_from_json(*entry, source_, part);
    }
  }
  // A text of a part that is not read as a whole, or `fallback` where the file does not name it.
  std::string text(const char* part, const char* field, const std::string& fallback) const;
  // Throws Error when the file names other parts than `known`.
  void check_parts(const std::vector<std::string>& known) const;

 private:
  std::string source_;  // its path in quotes, as errors begin
  nlohmann::json object_;
  ModelKind kind_ = ModelKind::kText;
};

// Writes config.json: the format's version, the kind, and the parts. Throws Error when it cannot;
// an older file is then left as it was.
void write_model_config(const std::filesystem::path& folder, ModelKind kind, const Json& parts);

// "text", "images": what models of a kind are models of.
const char* subject_of(ModelKind kind);

// What the model of a folder is a model of. Throws Error as ModelConfigFile does.
ModelKind model_kind(const std::filesystem::path& folder);

// Opens the tokenizer of the folder of a text model. Throws Error when its config does not name one
// that exists.
std::shared_ptr<const Tokenizer> load_tokenizer(const std::filesystem::path& folder);

// Adds the weights under their published names.
template <class T>
void add_weights(const ParameterBlock<T>& weights, SafetensorsWriter& writer);

// Throws Error unless the tensors of the file are those of the layout. To be called before memory
// is taken for weights: a config may describe a larger model than the file holds.
void check_weights(const SafetensorsFile& file, const ParameterLayout& layout);

// Reads all weights, converting between floating-point types. Throws Error when a tensor is
// missing, has another shape, is not a weight of the model, or holds a number that is not finite.
template <class T>
void load_weights(const SafetensorsFile& file, ParameterBlock<T>& weights);

}  // namespace ebt
