// The energy-based transformer for text.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "ebt/backward/training_pass.h"

namespace ebt {

template <class T>
class TextEbt : public TextModel<T> {
 public:
  // Workspace for at most (rows, context) tokens. Throws Error for an impossible configuration.
  TextEbt(const ModelConfig& model, const ThinkingConfig& thinking, int64_t rows, int64_t context,
          bool training);
  // Bytes of that workspace.
  static size_t workspace_bytes(const ModelConfig& model, const ThinkingConfig& thinking,
                                int64_t rows, int64_t context, bool training);

  const ModelConfig& config() const override { return config_; }
  const ParameterLayout& layout() const override { return layout_; }
  ParameterBlock<T>& weights() override { return weights_; }
  ParameterBlock<T>& gradients() override { return gradients_; }
  LossSums train(const TrainingRows<T>& rows, uint64_t seed, uint64_t training_step) override;
  LossSums evaluate(Tensor<const int32_t> inputs, Tensor<const int32_t> targets,
                    const ThinkOptions& options) override;
  ThinkingTrace<T> predict_next(Tensor<const int32_t> tokens, const ThinkOptions& options) override;

  // train, from given draws.
  LossSums train_from(const TrainingRows<T>& rows, const ThinkingDraws<T>& draws,
                      const StepObserver<T>& observe);

 private:
  TextWorkspace<T>& workspace(int64_t batch, int64_t context, int64_t queries, bool training);
  std::vector<int64_t> inference_plan(int64_t steps) const;
  TextEbtParts<T> parts() const { return {config_, thinking_, views_, gradient_views_, rotary_}; }
  // Thinks about the tokens after positions first_query.. of `tokens`, as long as `options` says.
  void think(TextWorkspace<T>& space, Tensor<const int32_t> tokens, int64_t first_query,
             const ThinkOptions& options, const std::function<void()>& after_step);

  ModelConfig config_;
  ThinkingConfig thinking_;
  ParameterLayout layout_;
  ParameterBlock<T> weights_;
  ParameterBlock<T> gradients_;
  TextWeights<const T> views_;
  TextWeights<T> gradient_views_;
  RotaryTable<T> rotary_;
  Arena arena_;
  std::unique_ptr<TextWorkspace<T>> workspace_;
};

}  // namespace ebt
