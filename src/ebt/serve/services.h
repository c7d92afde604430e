// A model at work behind the server: its engine, and what turns requests into answers.
#pragma once

#include <memory>
#include <optional>

#include "ebt/serve/completion_handler.h"
#include "ebt/serve/engine.h"
#include "ebt/serve/image_engine.h"
#include "ebt/serve/image_handler.h"
#include "ebt/serve/limits.h"
#include "ebt/serve/metrics.h"
#include "ebt/serve/served_model.h"
#include "ebt/serve/server_options.h"

namespace ebt {

// A model of texts to be served; its config is that of the generator.
struct TextModelSource {
  ServedModel model;
  std::unique_ptr<Generator> generator;
};
// A model of images to be served; config and timestep are those of the denoiser.
struct ImageModelSource {
  ServedImageModel model;
  std::unique_ptr<ImageDenoiser> denoiser;
};
// What a server has: at least one of the two.
struct ModelSources {
  std::optional<TextModelSource> texts;
  std::optional<ImageModelSource> images;
};

// Limits and metrics must outlive the services.
struct TextService {
  // Throws Error when the tokenizer lacks tokens of the model.
  TextService(TextModelSource source, const ServerOptions& options, const RequestLimits& limits,
              Metrics& metrics);

  const ServedModel model;
  Engine engine;
  CompletionHandler completions;
};

struct ImageService {
  ImageService(ImageModelSource source, const ServerOptions& options, const RequestLimits& limits,
               Metrics& metrics);

  const ServedImageModel model;
  ImageEngine engine;
  ImageHandler handler;
};

}  // namespace ebt
