// Everything a training run on video is told.
#pragma once

#include <cstdint>

#include "ebt/data/video/clip_windows.h"
#include "ebt/model/model_kind.h"
#include "ebt/model/video_config.h"
#include "ebt/train/run_settings.h"

namespace ebt {

// A run on video: its rows are windows of clips.
struct VideoRunConfig : RunSettings {
  int64_t validation_windows = 256;  // of the periodic validation; 0: all

  // Throws Error naming the first impossible field.
  void check() const;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit_shared(visit, "windows of clips per optimizer step",
                 "windows per gradient pass, accumulated; 0 is the whole batch, or the largest "
                 "half, quarter... of it that fits in memory");
    visit("validation-windows", validation_windows,
          "windows per validation during training; 0 is all that are kept for it");
  }
};

struct VideoTrainConfig {
  static constexpr ModelKind kKind = ModelKind::kVideo;

  VideoModelConfig model;
  VideoThinkingConfig thinking;  // of an EBT
  OptimizerConfig optimizer;
  VideoDataConfig data;
  VideoRunConfig run;
  VideoTrainConfig() {
    model.context = 16;
    thinking.step_size = 1.0;
  }

  // Throws Error naming the first impossible field.
  void check() const;
  // The same run with every default written out: learning rate, warm-up, micro-batch, and absolute
  // paths.
  VideoTrainConfig resolved() const;

  // Calls visit(name, part) for every part, as config.json names them.
  template <class Visitor>
  void visit_parts(Visitor&& visit) {
    visit("model", model);
    visit("thinking", thinking);
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
