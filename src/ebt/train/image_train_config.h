// Everything a training run on images is told: config.h for text.
#pragma once

#include <cstdint>

#include "ebt/data/image/image_data.h"
#include "ebt/model/engine_options.h"
#include "ebt/model/image_config.h"
#include "ebt/model/image_model.h"
#include "ebt/train/config.h"

namespace ebt {

// A run on images: its rows are images.
struct ImageRunConfig : RunSettings {
  int64_t validation_images = 256;  // images of the periodic validation; 0: all
  ImageRunConfig() { batch = 32; }

  // Throws Error naming the first impossible field.
  void check() const;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit_shared(
        visit, "images per optimizer step",
        "images per gradient pass, accumulated; 0 is the whole batch, or the largest half, "
        "quarter... of it that fits in memory");
    visit("validation-images", validation_images,
          "images per validation during training; 0 is all that are kept for it");
  }
};

struct ImageTrainConfig {
  ImageModelConfig model;
  ImageThinkingConfig thinking;  // of an EBT
  ImageTrainingNoise noise;      // likewise
  OptimizerConfig optimizer;
  ImageDataConfig data;
  ImageRunConfig run;

  // Throws Error naming the first impossible field.
  void check() const;
  // The same run with every default written out: learning rate, warm-up, micro-batch, and absolute
  // paths.
  ImageTrainConfig resolved() const;

  // Calls visit(name, part) for every part, as config.json names them.
  template <class Visitor>
  void visit_parts(Visitor&& visit) {
    visit("model", model);
    visit("thinking", thinking);
    visit("noise", noise);
    visit("optimizer", optimizer);
    visit("data", data);
    visit("run", run);
  }
  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit_parts([&](const char* /*name*/, auto& part) { part.visit_fields(visit); });
  }
};

// How the run computes. `precision` must be a name that the run was resolved to, or may be auto.
// float64 is for tests and knows one precision only.
template <class T>
EngineOptions engine_options(const ImageTrainConfig& config);

}  // namespace ebt
