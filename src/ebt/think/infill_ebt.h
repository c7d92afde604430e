// The energy-based transformer of whole answers: all unknown tokens of a row are thought about at
// once, under one energy for the row, the sum over its tokens.
#pragma once

#include <memory>

#include "ebt/model/infill_landscape.h"
#include "ebt/model/infill_model.h"
#include "ebt/think/answer_space.h"
#include "ebt/think/thinking_pass.h"

namespace ebt {

template <class T, class S = T>
class InfillEbt : public ModelShell<T, S, InfillModel<T>> {
  using Shell = ModelShell<T, S, InfillModel<T>>;
  struct Workspace;

 public:
  // Throws Error for an impossible configuration.
  InfillEbt(const InfillModelConfig& model, const InfillThinkingConfig& thinking, int64_t rows,
            const EngineOptions& options);
  ~InfillEbt() override;
  // Bytes of the workspace of `rows` rows.
  static size_t workspace_bytes(const InfillModelConfig& model,
                                const InfillThinkingConfig& thinking, int64_t rows,
                                const EngineOptions& options);

  InfillSums train(const InfillRows& rows, const InfillLearning& learning, uint64_t seed,
                   uint64_t training_step) override;
  InfillSums evaluate(const InfillRows& rows, uint64_t seed, int64_t steps) override;
  void think(const InfillRows& rows, int64_t steps, Tensor<T> logits,
             const InfillObserver<T>& observe) override;
  void score(const InfillRows& rows, Tensor<T> energies) override;
  double initial_scale() const override { return thinking_.initial_scale; }

  // train, from given draws. `observe` may be empty.
  InfillSums train_from(const InfillRows& rows, const InfillLearning& learning,
                        const ThinkingDraws<T>& draws, const StepObserver<T>& observe) {
    return run(rows, &learning, draws, observe);
  }

 private:
  // Learns unless `learning` is null.
  InfillSums run(const InfillRows& rows, const InfillLearning* learning,
                 const ThinkingDraws<T>& draws, const StepObserver<T>& observe);
  InfillLandscape<T, S> landscape() { return {this->config(), this->operands(), rotary_}; }
  // Calls visit(chunk, its workspace) for the chunks of rows, each with its given tokens in place.
  template <class Visit>
  void for_each_chunk(const InfillRows& rows, bool training, const Visit& visit);
  // Adds the ranking term of a chunk that ended in `result` to sums and gradients.
  void rank(const InfillRows& rows, const Chunk& chunk, const InfillLearning& learning,
            Tensor<const T> result, Workspace& workspace, InfillSums& sums);
  DrawAddress address_of(const InfillRows& rows, uint64_t seed, uint64_t step) const {
    return {seed, step, rows.first_row, this->config().row_length * this->config().vocab_size};
  }

  InfillThinkingConfig thinking_;
  RotaryTable<T> rotary_;
  std::unique_ptr<Workspace> workspace_;
};

}  // namespace ebt
