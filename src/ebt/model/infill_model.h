// What training, evaluation and the solver ask of a model of whole answers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "ebt/core/tensor.h"
#include "ebt/model/engine_options.h"
#include "ebt/model/infill_config.h"
#include "ebt/model/loss_sums.h"
#include "ebt/model/model.h"

namespace ebt {

// Rows of tokens, some known and the others asked for.
struct InfillRows {
  Tensor<const int32_t> tokens;  // (B, N); what is asked for is read only where something is
                                 // learned or measured
  Tensor<const uint8_t> known;   // (B, N) 1: given, 0: asked for
  // Position of the first row in the whole batch (or validation set): random draws belong to rows,
  // not to micro-batches.
  int64_t first_row = 0;
};

// What a training step reads beside.
struct InfillLearning {
  double inverse_token_count = 0;  // 1 / unknown tokens in the whole batch
  // Of the ranking term: wrong answers (B, N), equal to tokens where nothing was replaced, and
  // 1 / wrong answers in the whole batch, those of the model itself (one a row) among them. Absent
  // without the term.
  Tensor<const int32_t> corrupted = {};
  double inverse_ranking_count = 0;
};

// Sums over unknown tokens: losses are cross-entropies in nats.
struct InfillSums : LossSums {
  int64_t rows = 0;
  std::vector<int64_t> right_tokens;  // (K) after every step
  std::vector<int64_t> right_rows;    // (K) rows of which every unknown token is right
  double ranking = 0;                 // ranking terms, divided by their count in the whole batch

  InfillSums() = default;
  // Zeros for a pass of so many thinking steps.
  explicit InfillSums(size_t steps)
      : LossSums(steps, 0), right_tokens(steps, 0), right_rows(steps, 0) {}

  void add(const InfillSums& other) {
    LossSums::add(other);
    rows += other.rows;
    ranking += other.ranking;
    right_tokens.resize(losses.size());
    right_rows.resize(losses.size());
    for (size_t i = 0; i < other.right_rows.size(); ++i) {
      right_tokens[i] += other.right_tokens[i];
      right_rows[i] += other.right_rows[i];
    }
  }
};

// What a step of thinking leaves, of n rows from first_row on. Rows that are thought about together
// do not touch each other: what a row becomes depends on nothing but itself.
template <class T>
struct InfillStep {
  int64_t step;
  int64_t first_row;
  Tensor<const T> logits;         // (n, N, V)
  Tensor<const T> energy;         // (n) before the step; absent of rivals
  Tensor<const T> gradient_norm;  // (n) of the energy by the probabilities of unknown tokens,
                                  // before the step; absent of rivals
};
template <class T>
using InfillObserver = std::function<void(const InfillStep<T>&)>;

// A model of whole answers: weights, gradients and a workspace for as many rows at a time as keep
// products large. Not thread-safe; kernels inside use all OpenMP threads.
template <class T>
class InfillModel : public Model<T, InfillModelConfig> {
 public:
  // Adds the rows' gradients to gradients() and returns their losses. `seed` and `training_step`
  // address the random draws.
  virtual InfillSums train(const InfillRows& rows, const InfillLearning& learning, uint64_t seed,
                           uint64_t training_step) = 0;
  // The rows' losses at each of `steps` thinking steps (0: the most of training); learns nothing.
  virtual InfillSums evaluate(const InfillRows& rows, uint64_t seed, int64_t steps) = 0;

  // Takes `steps` steps (0 is allowed) from `logits` (B, N, V), which become those of the last;
  // logits of known tokens mean nothing. `observe`, which may be empty, sees every step of some
  // rows, then those of the next rows.
  virtual void think(const InfillRows& rows, int64_t steps, Tensor<T> logits,
                     const InfillObserver<T>& observe) = 0;
  // The energies (B) of rows whose tokens are all taken as they are, as of answers written out.
  // Throws Error of rivals, which have no energy.
  virtual void score(const InfillRows& rows, Tensor<T> energies) = 0;
  // Standard deviation of the N(0, 1) noise times which thinking starts; 0: at equal probabilities.
  virtual double initial_scale() const = 0;
};

// Bytes that make_infill_model will take for `rows` rows, weights and, for training, gradients and
// optimizer moments included.
template <class T>
size_t infill_model_bytes(const InfillModelConfig& model, const InfillThinkingConfig& thinking,
                          int64_t rows, const EngineOptions& options);

// Builds a model whose weights are zeros and whose workspace fits `rows` rows at a time or more.
// Throws Error when the configuration is impossible or its memory is refused.
template <class T>
std::unique_ptr<InfillModel<T>> make_infill_model(const InfillModelConfig& model,
                                                  const InfillThinkingConfig& thinking,
                                                  int64_t rows, const EngineOptions& options);

// Fills the weights with their initial values, alpha with thinking.step_size. The same seed gives
// the same weights.
template <class T>
void initialize_weights(InfillModel<T>& model, const InfillThinkingConfig& thinking, uint64_t seed);

}  // namespace ebt
