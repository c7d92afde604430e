#include "ebt/serve/services.h"

#include <utility>

#include "ebt/core/error.h"

namespace ebt {
namespace {

ServedModel complete_model(ServedModel model, const Generator& generator) {
  model.config = generator.config();
  EBT_CHECK(model.tokenizer->document_separator() < model.config.vocab_size,
            "serve: the tokenizer ends documents by token {}, but the model has {} tokens",
            model.tokenizer->document_separator(), model.config.vocab_size);
  return model;
}

ServedImageModel complete_model(ServedImageModel model, const ImageDenoiser& denoiser) {
  model.config = denoiser.config();
  model.trained_timestep = denoiser.trained_timestep();
  return model;
}

}  // namespace

TextService::TextService(TextModelSource source, const ServerOptions& options,
                         const RequestLimits& limits, Metrics& metrics)
    : model(complete_model(std::move(source.model), *source.generator)),
      engine(std::move(source.generator), options.queue, model, metrics),
      completions(engine, model, limits, milliseconds(options.request_timeout_s), metrics) {}

ImageService::ImageService(ImageModelSource source, const ServerOptions& options,
                           const RequestLimits& limits, Metrics& metrics)
    : model(complete_model(std::move(source.model), *source.denoiser)),
      engine(std::move(source.denoiser), options.image_queue, metrics),
      handler(engine, model, limits, milliseconds(options.request_timeout_s), metrics) {}

}  // namespace ebt
