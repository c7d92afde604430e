// Everything a training run on whole answers is told.
#pragma once

#include <cstdint>

#include "ebt/data/answers/answer_data.h"
#include "ebt/model/infill_config.h"
#include "ebt/model/model_kind.h"
#include "ebt/train/run_settings.h"

namespace ebt {

// A run on whole answers: its rows are puzzles, or questions, with their solutions.
struct InfillRunConfig : RunSettings {
  int64_t validation_rows = 256;  // rows of the periodic validation; 0: all
  InfillRunConfig() {
    steps = 4000;
    batch = 32;
  }

  // Throws Error naming the first impossible field.
  void check() const;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit_shared(visit, "rows per optimizer step",
                 "rows per gradient pass, accumulated; 0 is the whole batch, or the largest half, "
                 "quarter... of it that fits in memory");
    visit("validation-rows", validation_rows,
          "rows per validation during training; 0 is all that are kept for it");
  }
};

struct InfillTrainConfig {
  static constexpr ModelKind kKind = ModelKind::kInfill;

  InfillModelConfig model;
  InfillThinkingConfig thinking;
  OptimizerConfig optimizer;
  AnswerDataConfig data;
  InfillRunConfig run;
  InfillTrainConfig() {
    optimizer.learning_rate = 1e-3;
    optimizer.warmup_steps = 100;
    optimizer.beta2 = 0.99;
  }

  // Throws Error naming the first impossible field.
  void check() const;
  // The same run with every default written out: warm-up, micro-batch, and absolute paths.
  InfillTrainConfig resolved() const;

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
