// The energy-based transformer for text.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "ebt/think/training_pass.h"

namespace ebt {

template <class T, class S = T>
class TextEbt : public TextModel<T> {
 public:
  // Workspace for at most (rows, context) tokens. Throws Error for an impossible configuration.
  TextEbt(const ModelConfig& model, const ThinkingConfig& thinking, int64_t rows, int64_t context,
          const EngineOptions& options);
  // Bytes of that workspace.
  static size_t workspace_bytes(const ModelConfig& model, const ThinkingConfig& thinking,
                                int64_t rows, int64_t context, const EngineOptions& options);

  const ModelConfig& config() const override { return config_; }
  const ParameterLayout& layout() const override { return layout_; }
  ParameterBlock<T>& weights() override {
    copies_are_stale_ = true;
    return weights_;
  }
  ParameterBlock<T>& gradients() override { return gradients_; }
  LossSums train(const TrainingRows<T>& rows, uint64_t seed, uint64_t training_step) override;
  LossSums evaluate(Tensor<const int32_t> inputs, Tensor<const int32_t> targets,
                    const PassOptions& options) override;

  // train, from given draws.
  LossSums train_from(const TrainingRows<T>& rows, const ThinkingDraws<T>& draws,
                      const StepObserver<T>& observe);

 private:
  // Buffers for the shape of work at hand, and weights that are up to date.
  TextWorkspace<T, S>& prepare(Tensor<const int32_t> targets, bool training);
  std::vector<int64_t> inference_plan(int64_t steps) const;
  TextEbtParts<T, S> parts() const {
    return {config_, thinking_, operands_.views(), gradient_views_, rotary_};
  }
  // Thinks about the tokens after the chunk's positions, as
  // long as `options` says. The contexts of all landscapes must be there.
  void think(TextWorkspace<T, S>& workspace, const Chunk& chunk, ChunkSpace<T, S>& space,
             const PassOptions& options, const std::function<void(size_t)>& after_step);
  // Computes the contexts of the landscapes that `options` visits.
  void read(TextWorkspace<T, S>& workspace, Tensor<const int32_t> tokens,
            const PassOptions& options);

  ModelConfig config_;
  ThinkingConfig thinking_;
  EngineOptions options_;
  ParameterLayout layout_;
  ParameterBlock<T> weights_;
  ParameterBlock<T> gradients_;
  TextWeights<T> gradient_views_;
  OperandWeights<T, S> operands_;
  bool copies_are_stale_ = true;
  RotaryTable<T> rotary_;
  Arena arena_;
  std::unique_ptr<TextWorkspace<T, S>> workspace_;
};

}  // namespace ebt
