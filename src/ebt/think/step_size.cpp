#include "ebt/think/step_size.h"

namespace ebt {

double initial_step_size(const ModelConfig& /*model*/, const ThinkingConfig& thinking) {
  return thinking.step_size > 0 ? thinking.step_size : 0.5;
}

}  // namespace ebt
