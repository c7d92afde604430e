// The energy-based transformer for text: causal predictions of distributions over tokens.
#pragma once

#include <memory>
#include <optional>

#include "ebt/model/text_model.h"
#include "ebt/think/causal_pass.h"
#include "ebt/think/simplex.h"

namespace ebt {

// The candidates of a model of text.
template <class T, class S>
Simplex<T, S> text_candidates(const TextModelConfig& config, const TextThinkingConfig& thinking,
                              const SequenceOperandViews<T, S>& weights);

// What text needs for a chunk of N candidates beside the buffers of every pass.
template <class T, class S>
struct TextExtra {
  using Space = Simplex<T, S>;

  TextExtra(Arena& arena, const SequenceConfig& config, const ThinkingSettings& thinking,
            const Space& space, const Chunk& chunk, bool training);

  Tensor<int32_t> targets;  // (N)
  Tensor<T> bound;          // (N), absent where nothing is clamped
  // The contrastive term's cotangents of energies (B, Q), its one-hot truth (N, V) and its stream.
  Tensor<T> energy_bar;
  std::optional<ThinkingStep<Space, PredictionStream<T, S>>> truth;
};

template <class T, class S = T>
class TextEbt : public ModelShell<T, S, TextModel<T>> {
  using Shell = ModelShell<T, S, TextModel<T>>;
  using Workspace = CausalWorkspace<Simplex<T, S>, TextExtra<T, S>>;

 public:
  // Workspace for at most (rows, context) tokens. Throws Error for an impossible configuration.
  TextEbt(const TextModelConfig& model, const TextThinkingConfig& thinking, int64_t rows,
          int64_t context, const EngineOptions& options);
  // Bytes of that workspace.
  static size_t workspace_bytes(const TextModelConfig& model, const TextThinkingConfig& thinking,
                                int64_t rows, int64_t context, const EngineOptions& options);

  LossSums train(const TrainingRows<T>& rows, uint64_t seed, uint64_t training_step) override;
  LossSums evaluate(Tensor<const int32_t> inputs, Tensor<const int32_t> targets,
                    const PassOptions& options) override;

  // train, from given draws. `observe` may be empty.
  LossSums train_from(const TrainingRows<T>& rows, const ThinkingDraws<T>& draws,
                      const StepObserver<T>& observe) {
    return run(rows, draws, observe, true);
  }

 private:
  LossSums run(const TrainingRows<T>& rows, const ThinkingDraws<T>& draws,
               const StepObserver<T>& observe, bool learns);
  // Buffers for the shape of work at hand.
  Workspace& prepare(const CausalWork& work);

  TextThinkingConfig thinking_;
  RotaryTable<T> rotary_;
  Tensor<int32_t> tokens_;  // (B, S) that are read
  std::unique_ptr<Workspace> workspace_;
};

}  // namespace ebt
