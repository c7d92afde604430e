// The rivals of the EBT of whole answers, on the same layers: a transformer whose output layer
// gives the logits of the unknown tokens, once from equal probabilities (feed-forward), or round
// after round from its own last output (looped), trained on the last of a drawn number of rounds,
// through all of them.
#pragma once

#include <memory>

#include "ebt/model/infill_landscape.h"
#include "ebt/model/infill_model.h"
#include "ebt/think/chunk.h"
#include "ebt/think/thinking_draws.h"

namespace ebt {

template <class T, class S = T>
class InfillLooped : public ModelShell<T, S, InfillModel<T>> {
  using Shell = ModelShell<T, S, InfillModel<T>>;
  struct Workspace;

 public:
  // Throws Error for an impossible configuration.
  InfillLooped(const InfillModelConfig& model, const InfillThinkingConfig& thinking, int64_t rows,
               const EngineOptions& options);
  ~InfillLooped() override;
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
  double initial_scale() const override { return is_looped() ? thinking_.initial_scale : 0.0; }

 private:
  bool is_looped() const { return this->config().arch == InfillArchitecture::kLooped; }
  // Runs so many rounds; `initial` makes the logits of the rows from `first` on. Learns unless
  // `learning` is null.
  InfillSums run(const InfillRows& rows, const InfillLearning* learning, size_t rounds,
                 const std::function<void(int64_t first, Tensor<T>)>& initial);
  Workspace& prepare(const InfillRows& rows, const Chunk& chunk, int64_t kept_rounds);
  // From workspace.logits to those of the next round, kept as round `slot`.
  void take_round(size_t slot, Workspace& workspace);
  // Adds the gradients of the first `rounds` rounds, from workspace.slope.
  void learn(size_t rounds, Workspace& workspace);
  std::function<void(int64_t first, Tensor<T>)> initial(const InfillRows& rows, uint64_t seed,
                                                        uint64_t training_step) const;
  InfillLandscape<T, S> landscape() { return {this->config(), this->operands(), rotary_}; }

  InfillThinkingConfig thinking_;
  RotaryTable<T> rotary_;
  std::unique_ptr<Workspace> workspace_;
};

}  // namespace ebt
