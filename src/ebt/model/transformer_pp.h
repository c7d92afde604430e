// Transformer++, the baseline: the context stream run to its end, and a linear output layer.
#pragma once

#include <memory>

#include "ebt/model/context_stream.h"
#include "ebt/model/text_model.h"

namespace ebt {

template <class T>
class TransformerPp : public TextModel<T> {
 public:
  // Workspace for at most (rows, context) tokens. Throws Error for an impossible configuration.
  TransformerPp(const ModelConfig& model, int64_t rows, int64_t context, bool training);
  ~TransformerPp() override;
  static size_t workspace_bytes(const ModelConfig& model, int64_t rows, int64_t context,
                                bool training);

  const ModelConfig& config() const override { return config_; }
  const ParameterLayout& layout() const override { return layout_; }
  ParameterBlock<T>& weights() override { return weights_; }
  ParameterBlock<T>& gradients() override { return gradients_; }
  LossSums train(const TrainingRows<T>& rows, uint64_t seed, uint64_t training_step) override;
  LossSums evaluate(Tensor<const int32_t> inputs, Tensor<const int32_t> targets,
                    const ThinkOptions& options) override;
  ThinkingTrace<T> predict_next(Tensor<const int32_t> tokens, const ThinkOptions& options) override;

  // The logits (B * S, V) of tokens (B, S), valid until the next call.
  Tensor<T> logits(Tensor<const int32_t> tokens, bool training);

 private:
  struct Workspace;
  Workspace& workspace(int64_t batch, int64_t context, bool training);
  // The mean-free loss sum; with `scale` not 0, the logits become their gradient.
  double loss(Tensor<const int32_t> targets, T scale);

  ModelConfig config_;
  ParameterLayout layout_;
  ParameterBlock<T> weights_;
  ParameterBlock<T> gradients_;
  TextWeights<const T> views_;
  TextWeights<T> gradient_views_;
  RotaryTable<T> rotary_;
  Arena arena_;
  std::unique_ptr<Workspace> workspace_;
};

}  // namespace ebt
