// Everything a training run on images is told.
#pragma once

#include <cstdint>

#include "ebt/data/image/image_data.h"
#include "ebt/model/image_config.h"
#include "ebt/model/image_model.h"
#include "ebt/model/model_kind.h"
#include "ebt/train/run_settings.h"

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
  static constexpr ModelKind kKind = ModelKind::kImage;

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

}  // namespace ebt
