// A model folder: config.json and model.safetensors. These two make a model; a folder that a run
// writes holds more (checkpoint.h).
#pragma once

#include <filesystem>
#include <memory>

#include "ebt/data/tokenizer.h"
#include "ebt/io/safetensors.h"
#include "ebt/model/text_model.h"
#include "ebt/think/generator.h"
#include "ebt/think/text_generator.h"
#include "ebt/train/config.h"
#include "ebt/train/image_train_config.h"

namespace ebt {

inline constexpr char kConfigFile[] = "config.json";
inline constexpr char kModelFile[] = "model.safetensors";

// Writes config.json: the format's version and one object per part of the config. Throws Error when
// it cannot; an older file is then left as it was.
void save_config(const std::filesystem::path& folder, const TrainConfig& config);
void save_config(const std::filesystem::path& folder, const ImageTrainConfig& config);

// What the model of a folder is a model of.
enum class ModelKind { kText, kImage };
// Throws Error when the folder's config.json is missing, damaged, of a newer version, or of a model
// that this program does not know.
ModelKind model_kind(const std::filesystem::path& folder);

// Read config.json. Parts and fields that it does not name keep their defaults. Throw Error as
// model_kind does, when it names unknown fields, and when the model is of the other kind.
TrainConfig load_config(const std::filesystem::path& folder);
ImageTrainConfig load_image_config(const std::filesystem::path& folder);

// Opens the tokenizer of a model folder. Throws Error when its config does not name one that
// exists.
std::shared_ptr<const Tokenizer> load_tokenizer(const std::filesystem::path& model_folder);

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

// Opens the model of a folder, for inference on up to `rows` rows of the context it was trained on.
template <class T>
std::unique_ptr<TextModel<T>> load_model(const std::filesystem::path& folder, int64_t rows);

// Opens the model of a folder for generation of so many texts at a time in single precision, its
// thoughts starting from `noise`.
std::unique_ptr<TextGenerator<float>> load_text_generator(
    const std::filesystem::path& folder, int64_t texts,
    ThinkingNoise<float> noise = counter_based_noise<float>());

// Opens the model of a folder for generation, in single precision or with bf16 weights and keys.
std::unique_ptr<Generator> load_generator(const std::filesystem::path& folder,
                                          const GeneratorOptions& options);

}  // namespace ebt
