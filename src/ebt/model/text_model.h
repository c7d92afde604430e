// The interface of text models for training and evaluation, whatever their architecture.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "ebt/core/tensor.h"
#include "ebt/data/text/batch.h"
#include "ebt/kernels/rng.h"
#include "ebt/model/config.h"
#include "ebt/model/engine_options.h"
#include "ebt/model/loss_sums.h"
#include "ebt/model/model.h"
#include "ebt/model/thinking_config.h"

namespace ebt {

// How to think when nothing is being learned.
struct PassOptions {
  int64_t steps = 0;  // thinking steps; 0: as many as in training
  uint64_t seed = 0;  // of the initial noise
  // Position of the first row in the whole set: the noise belongs to rows, not to batches.
  int64_t first_row = 0;
};

// Rows that a training step is computed from.
template <class T>
struct TrainingRows {
  Tensor<const int32_t> inputs;   // (B, S)
  Tensor<const int32_t> targets;  // (B, S), kIgnoredTarget where there is none
  // Position of the first row in the whole batch: random draws belong to rows, not to
  // micro-batches.
  int64_t first_row = 0;
  // 1 / targets in the whole batch: what turns sums into means.
  double inverse_token_count = 0;
  Tensor<const T> initial_logits;  // (B, S, V) to start thinking from, or absent: drawn
  Tensor<T> final_logits;          // (B, S, V) receives where thinking ended, or absent
};

// A model of text: weights, gradients and a workspace for at most (B, S) tokens at a time. Not
// thread-safe; kernels inside use all OpenMP threads.
template <class T>
class TextModel : public Model<T, TextModelConfig> {
 public:
  // Adds the rows' gradients to gradients() and returns their losses, cross-entropies of the tokens
  // with a target. `seed` and `training_step`
  // address the random draws.
  virtual LossSums train(const TrainingRows<T>& rows, uint64_t seed, uint64_t training_step) = 0;
  // The rows' losses at every thinking step; learns nothing.
  virtual LossSums evaluate(Tensor<const int32_t> inputs, Tensor<const int32_t> targets,
                            const PassOptions& options) = 0;
};

// Bytes that make_text_model will take for rows of shape (rows, context), weights and, for
// training, gradients and optimizer moments included.
template <class T>
size_t model_bytes(const TextModelConfig& model, const TextThinkingConfig& thinking, int64_t rows,
                   int64_t context, const EngineOptions& options);

// Builds a model whose weights are zeros and whose workspace fits (rows, context).
// Throws Error when the configuration is impossible or its memory is refused.
template <class T>
std::unique_ptr<TextModel<T>> make_text_model(const TextModelConfig& model,
                                              const TextThinkingConfig& thinking, int64_t rows,
                                              int64_t context, const EngineOptions& options);

// Fills the weights with their initial values, alpha with thinking.step_size or, where that is 0,
// with one that suits the model. The same seed gives the same weights.
template <class T>
void initialize_weights(TextModel<T>& model, const TextThinkingConfig& thinking, uint64_t seed);

}  // namespace ebt
