// Predictions of a text and whether they were right: what a calibration is fitted to.
#pragma once

#include <functional>
#include <vector>

#include "ebt/eval/calibration.h"
#include "ebt/eval/task.h"

namespace ebt {

struct TextOutcomes {
  std::vector<TokenOutcome> fit;       // of the first, third, ... window
  std::vector<TokenOutcome> held_out;  // of the second, fourth, ...
};

// Predicts every token of a text_task(). `on_example` (may be empty) is told how many windows are
// done. Throws Error when the model does not think: it has no energy then.
TextOutcomes predict_outcomes(Generator& generator, const Task& text, const ThinkOptions& think,
                              const std::function<void(int64_t done)>& on_example);

}  // namespace ebt
