#include "ebt/think/generator.h"

#include <cmath>

#include "ebt/core/error.h"

namespace ebt {

void check_finite(FinishReason reason) { check_prediction(reason != FinishReason::kNotFinite); }

void check_prediction(bool is_finite) {
  EBT_CHECK(is_finite,
            "the model's prediction is not a finite number: its weights are too large, as training "
            "that diverged leaves them, or so is the step size or noise that it thinks with");
}

void SamplingOptions::check() const {
  EBT_CHECK(temperature >= 0 && std::isfinite(temperature),
            "temperature: {} is not a number from 0", temperature);
  EBT_CHECK(top_k >= 0, "top-k: {} is negative", top_k);
  EBT_CHECK(top_p > 0 && top_p <= 1, "top-p: {} is not in (0, 1]", top_p);
}

void GenerationRequest::check(const TextModelConfig& model) const {
  think.check();
  sampling.check();
  EBT_CHECK(!prompt.empty(), "generate: the prompt has no tokens");
  for (const int32_t token : prompt) {
    EBT_CHECK(token >= 0 && token < model.vocab_size,
              "generate: token {} of the prompt is not one of the model's 0..{}", token,
              model.vocab_size - 1);
  }
  EBT_CHECK(max_tokens >= 0, "generate: {} tokens at most", max_tokens);
  EBT_CHECK(score_from == -1 || score_from >= 1,
            "generate: token {} of the prompt cannot be scored: nothing precedes it", score_from);
  EBT_CHECK(top_tokens >= 0 && top_tokens <= model.vocab_size,
            "generate: {} likeliest tokens of {}", top_tokens, model.vocab_size);
}

}  // namespace ebt
