// The plan of thinking steps that follows from options, or from training.
#pragma once

#include <vector>

#include "ebt/model/config.h"
#include "ebt/model/thinking_config.h"
#include "ebt/think/options.h"

namespace ebt {

struct PlannedStep {
  int64_t landscape = 0;
  double step_size = 0;
};

// `step_size` is the model's alpha. Empty for a baseline.
std::vector<PlannedStep> plan_of(const TextModelConfig& model, const TextThinkingConfig& trained,
                                 const ThinkOptions& options, double step_size);

}  // namespace ebt
