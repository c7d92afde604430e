#include "ebt/think/open_model.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "ebt/core/bfloat16.h"
#include "ebt/data/answers/answer_format_file.h"
#include "ebt/layers/noise_schedule.h"
#include "ebt/model/infill_weights.h"
#include "ebt/model/sequence_weights.h"
#include "ebt/think/dit_denoiser.h"
#include "ebt/think/ebt_denoiser.h"
#include "ebt/think/solver.h"

namespace ebt {
namespace {

// What inference needs of the config of a text model.
struct TextConfig {
  TextModelConfig model;
  TextThinkingConfig thinking;
  std::string precision;  // that it was trained in

  explicit TextConfig(const std::filesystem::path& folder) {
    const ModelConfigFile file(folder, ModelKind::kText);
    file.read("model", model);
    file.read("thinking", thinking);
    precision = file.text("run", "precision", "auto");
    model.check();
    thinking.check();
  }
};

// The weights of a folder.
struct LoadedWeights {
  std::unique_ptr<ParameterLayout> layout;
  ParameterBlock<float> weights;

  LoadedWeights(const std::filesystem::path& folder, ParameterLayout described)
      : layout(std::make_unique<ParameterLayout>(std::move(described))) {
    const SafetensorsFile file(folder / kModelFile);
    // A config that describes a larger model than the file holds must not get to allocate it.
    check_weights(file, *layout);
    weights = ParameterBlock<float>(*layout);
    load_weights(file, weights);
  }
};

// The model that make(options) makes for inference, with the weights of a folder, once they are
// known to be those of `layout`.
template <class Make>
auto with_weights(const std::filesystem::path& folder, const ParameterLayout& layout,
                  Precision precision, const Make& make) {
  const SafetensorsFile file(folder / kModelFile);
  check_weights(file, layout);
  EngineOptions options;
  options.training = false;
  options.precision = precision;
  auto model = make(options);
  load_weights(file, model->edit_weights());
  return model;
}

}  // namespace

template <class T>
std::unique_ptr<TextModel<T>> load_model(const std::filesystem::path& folder, int64_t rows) {
  const TextConfig config(folder);
  const Precision precision =
      std::is_same_v<T, float> ? precision_of(config.precision) : Precision::kFp32;
  return with_weights(folder, text_model_layout(config.model), precision,
                      [&](const EngineOptions& options) {
                        return make_text_model<T>(config.model, config.thinking, rows,
                                                  config.model.context, options);
                      });
}

LoadedInfillModel load_infill_model(const std::filesystem::path& folder, int64_t rows,
                                    const std::string& precision) {
  InfillModelConfig model;
  InfillThinkingConfig thinking;
  const ModelConfigFile config(folder, ModelKind::kInfill);
  config.read("model", model);
  config.read("thinking", thinking);
  model.check();
  thinking.check();
  LoadedInfillModel loaded;
  loaded.format = load_answer_format(folder);
  EBT_CHECK(
      model.vocab_size == loaded.format.vocabulary_size() &&
          model.row_length == loaded.format.length,
      "'{}' describes a model of rows of {} tokens out of {}, but its format has {} out of {}",
      (folder / kConfigFile).string(), model.row_length, model.vocab_size, loaded.format.length,
      loaded.format.vocabulary_size());
  loaded.model = with_weights(folder, infill_model_layout(model), precision_of(precision),
                              [&](const EngineOptions& options) {
                                return make_infill_model<float>(
                                    model, thinking, std::min(rows, rows_together(model)), options);
                              });
  return loaded;
}

std::unique_ptr<TextGenerator<float>> load_text_generator(const std::filesystem::path& folder,
                                                          int64_t texts,
                                                          ThinkingNoise<float> noise) {
  const TextConfig config(folder);
  LoadedWeights loaded(folder, text_model_layout(config.model));
  return std::make_unique<TextGenerator<float>>(config.model, config.thinking,
                                                std::move(loaded.layout), std::move(loaded.weights),
                                                texts, std::move(noise));
}

std::unique_ptr<Generator> load_generator(const std::filesystem::path& folder,
                                          const GeneratorOptions& options) {
  if (precision_of(options.precision) != Precision::kBf16) {
    return load_text_generator(folder, options.texts);
  }
  const TextConfig config(folder);
  LoadedWeights loaded(folder, text_model_layout(config.model));
  return std::make_unique<TextGenerator<float, Bfloat16>>(config.model, config.thinking,
                                                          std::move(loaded.layout),
                                                          std::move(loaded.weights), options.texts);
}

std::unique_ptr<ImageDenoiser> load_image_denoiser(const std::filesystem::path& folder,
                                                   int64_t batch, const std::string& precision) {
  EBT_CHECK(batch >= 1 && batch <= 65536, "--batch: {} is not between 1 and 65536", batch);
  ImageModelConfig model;
  ImageTrainingNoise noise;
  const ModelConfigFile file(folder, ModelKind::kImage);
  file.read("model", model);
  file.read("noise", noise);
  model.check();
  noise.check();
  LoadedWeights loaded(folder, image_model_layout(model));
  const int64_t timestep = NoiseSchedule().step_of_level(noise.level);
  return with_stored_type<float>(
      precision_of(precision), [&]<class S>() -> std::unique_ptr<ImageDenoiser> {
        if (model.arch == ImageArchitecture::kDit) {
          return std::make_unique<DitDenoiser<S>>(model, timestep, std::move(loaded.layout),
                                                  std::move(loaded.weights), batch);
        }
        return std::make_unique<EbtDenoiser<S>>(model, timestep, std::move(loaded.layout),
                                                std::move(loaded.weights), batch);
      });
}

std::unique_ptr<VideoModel<float>> load_video_model(const std::filesystem::path& folder,
                                                    int64_t rows, const std::string& precision) {
  VideoModelConfig model;
  VideoThinkingConfig thinking;
  const ModelConfigFile config(folder, ModelKind::kVideo);
  config.read("model", model);
  config.read("thinking", thinking);
  model.check();
  return with_weights(folder, video_model_layout(model), precision_of(precision),
                      [&](const EngineOptions& options) {
                        return make_video_model<float>(model, thinking, rows, options);
                      });
}

template std::unique_ptr<TextModel<float>> load_model(const std::filesystem::path&, int64_t);
template std::unique_ptr<TextModel<double>> load_model(const std::filesystem::path&, int64_t);

}  // namespace ebt
