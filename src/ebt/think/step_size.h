// The initial step size alpha.
#pragma once

#include "ebt/model/config.h"
#include "ebt/model/thinking_config.h"

namespace ebt {

// thinking.step_size, or, where that is 0, a value from which the first steps change the logits by
// about one (docs/architecture.md derives it).
double initial_step_size(const TextModelConfig& model, const TextThinkingConfig& thinking);

}  // namespace ebt
