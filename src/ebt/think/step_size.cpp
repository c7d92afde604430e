#include "ebt/think/step_size.h"

#include <cmath>

namespace ebt {

// At the start a row of the energy head has norm sqrt(2), and an entry of the vocabulary matrix has
// standard deviation sqrt(2 / (V + D)); the norms between them pass u on with a gain that was
// measured, not derived: logits move by 0.9 for V = 257 and D = 128.
double initial_step_size(const TextModelConfig& model, const TextThinkingConfig& thinking) {
  if (thinking.step_size > 0) {
    return thinking.step_size;
  }
  return std::sqrt(static_cast<double>(model.vocab_size + model.width)) / 5.0;
}

}  // namespace ebt
