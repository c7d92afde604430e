#include "ebt/train/base_model.h"

#include <filesystem>

#include "ebt/core/config_fields.h"
#include "ebt/data/text/token_sequence.h"
#include "ebt/io/json.h"
#include "ebt/model/model_folder.h"
#include "ebt/train/run_config.h"

namespace ebt {
namespace {

template <class T, class Config>
void load_weights_of(const Config& base, const Config& config, ParameterBlock<T>& weights) {
  const SafetensorsFile file(std::filesystem::path(config.run.from) / kModelFile);
  try {
    load_weights(file, weights);
  } catch (const Error& misfit) {
    const Json theirs = fields_to_json(base.model);
    const Json ours = fields_to_json(config.model);
    const std::string key = first_difference(theirs, ours);
    if (key.empty()) {
      throw;
    }
    fail(
        "--from: the model of '{}' has \"{}\" {}, and this run's has {}: a run starts from the "
        "weights of a model of its own shape",
        config.run.from, key, theirs[key].dump(), ours[key].dump());
  }
}

}  // namespace

template <class T>
void load_base_weights(const TrainConfig& config, ParameterBlock<T>& weights) {
  if (!config.run.from.empty()) {
    load_weights_of(load_config(config.run.from), config, weights);
  }
}

template <class T>
void load_base_weights(const ImageTrainConfig& config, ParameterBlock<T>& weights) {
  if (!config.run.from.empty()) {
    load_weights_of(load_image_config(config.run.from), config, weights);
  }
}

int64_t base_vocabulary_size(const TrainConfig& config, const Tokenizer& tokenizer) {
  const auto base = load_tokenizer(config.run.from);
  EBT_CHECK(vocabulary_of(*base)->fingerprint == vocabulary_of(tokenizer)->fingerprint,
            "--from: the model of '{}' knows the {} tokens of '{}', and this run's text is made of "
            "the {} of '{}'",
            config.run.from, base->vocabulary_size(), base->name(), tokenizer.vocabulary_size(),
            tokenizer.name());
  return load_config(config.run.from).model.vocab_size;
}

template void load_base_weights(const TrainConfig&, ParameterBlock<float>&);
template void load_base_weights(const TrainConfig&, ParameterBlock<double>&);
template void load_base_weights(const ImageTrainConfig&, ParameterBlock<float>&);
template void load_base_weights(const ImageTrainConfig&, ParameterBlock<double>&);

}  // namespace ebt
