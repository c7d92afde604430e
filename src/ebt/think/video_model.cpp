// The makers behind model/video_model.h: they know both architectures.
#include "ebt/model/video_model.h"

#include "ebt/model/video_transformer_pp.h"
#include "ebt/think/initial_weights.h"
#include "ebt/think/video_ebt.h"

namespace ebt {
namespace {

void check(const VideoModelConfig& model, const VideoThinkingConfig& thinking) {
  model.check();
  if (model.arch == Architecture::kEbt) {
    thinking.check();
  }
}

}  // namespace

ParameterLayout video_model_layout(const VideoModelConfig& config) {
  ParameterLayout layout;
  const bool energy = config.arch == Architecture::kEbt;
  if (energy) {
    layout.add(kStepSizeName, {}, false);
  }
  add_sequence_parameters(config, layout);
  if (!energy) {
    layout.add("output.weight", {config.width, config.width});
  }
  return layout;
}

template <class T>
size_t video_model_bytes(const VideoModelConfig& model, const VideoThinkingConfig& thinking,
                         int64_t rows, const EngineOptions& options) {
  check(model, thinking);
  return with_stored_type<T>(options.precision, [&]<class S>() {
    if (model.arch != Architecture::kEbt) {
      return VideoTransformerPp<T, S>::bytes(model, options) +
             VideoTransformerPp<T, S>::workspace_bytes(model, rows, model.context, options);
    }
    return VideoEbt<T, S>::bytes(model, options) +
           VideoEbt<T, S>::workspace_bytes(model, thinking, rows, model.context, options);
  });
}

template <class T>
std::unique_ptr<VideoModel<T>> make_video_model(const VideoModelConfig& model,
                                                const VideoThinkingConfig& thinking, int64_t rows,
                                                const EngineOptions& options) {
  check(model, thinking);
  return with_stored_type<T>(options.precision, [&]<class S>() -> std::unique_ptr<VideoModel<T>> {
    if (model.arch != Architecture::kEbt) {
      return std::make_unique<VideoTransformerPp<T, S>>(model, rows, model.context, options);
    }
    return std::make_unique<VideoEbt<T, S>>(model, thinking, rows, model.context, options);
  });
}

template <class T>
void initialize_weights(VideoModel<T>& model, const VideoThinkingConfig& thinking, uint64_t seed) {
  initialize_as_published(model, model.config().type, thinking.step_size, seed, {"embeddings"});
}

#define EBT_INSTANTIATE(T)                                                                  \
  template size_t video_model_bytes<T>(const VideoModelConfig&, const VideoThinkingConfig&, \
                                       int64_t, const EngineOptions&);                      \
  template std::unique_ptr<VideoModel<T>> make_video_model<T>(                              \
      const VideoModelConfig&, const VideoThinkingConfig&, int64_t, const EngineOptions&);  \
  template void initialize_weights<T>(VideoModel<T>&, const VideoThinkingConfig&, uint64_t);
EBT_INSTANTIATE(float)
EBT_INSTANTIATE(double)
#undef EBT_INSTANTIATE

}  // namespace ebt
