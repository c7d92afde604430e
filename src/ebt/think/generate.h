// Text from a model, one thought per token.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "ebt/model/text_model.h"

namespace ebt {

struct GenerateOptions {
  int64_t tokens = 200;      // at most so many
  double temperature = 1.0;  // divides the logits; 0 always takes the likeliest token
  double top_p = 1.0;  // sample among the likeliest tokens that hold this probability together
  uint64_t seed = 0;   // of the sampling
  int32_t document_separator = 256;  // of the model's tokenizer; default: of bytes
  PassOptions think = {};

  // Throws Error naming the first impossible field.
  void check() const;
};

struct GeneratedToken {
  int32_t token = 0;
  double probability = 0;      // under the final prediction, before temperature and top_p
  std::vector<double> energy;  // before every thinking step, and after the last
};

// The index that `uniform`, a number in [0, 1), picks from softmax(logits / temperature) cut to the
// smallest set of likeliest indices whose probabilities reach `top_p`. Ties go to the lower index.
// Throws Error when a logit is not finite.
template <class T>
int32_t sample_token(Tensor<const T> logits /* (V) */, double temperature, double top_p,
                     double uniform);

// Continues `prompt`, thinking about every token with as much of what precedes it as the model's
// context holds; an empty prompt stands for the start of a document. Ends after `options.tokens`
// tokens or before a document separator. `on_token`, where given, sees every token at once. The
// same seeds give the same tokens, and token i does not depend on how many are asked for.
template <class T>
std::vector<GeneratedToken> generate(
    TextModel<T>& model, std::span<const int32_t> prompt, const GenerateOptions& options,
    const std::function<void(const GeneratedToken&)>& on_token = nullptr);

}  // namespace ebt
