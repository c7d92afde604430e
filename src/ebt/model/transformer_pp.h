// Transformer++ of text, the baseline: logits that a linear layer reads off a context.
#pragma once

#include <functional>
#include <memory>

#include "ebt/model/direct_predictor.h"
#include "ebt/model/text_model.h"

namespace ebt {

// Sees the logits (N, V) of the positions from `first` on.
template <class T>
using LogitsObserver = std::function<void(int64_t first, Tensor<const T>)>;

template <class T, class S = T>
class TransformerPp : public ModelShell<T, S, TextModel<T>> {
  using Shell = ModelShell<T, S, TextModel<T>>;

 public:
  // Workspace for at most (rows, context) tokens. Throws Error for an impossible configuration.
  TransformerPp(const TextModelConfig& model, int64_t rows, int64_t context,
                const EngineOptions& options);
  ~TransformerPp() override;
  static size_t workspace_bytes(const TextModelConfig& model, int64_t rows, int64_t context,
                                const EngineOptions& options);

  LossSums train(const TrainingRows<T>& rows, uint64_t seed, uint64_t training_step) override;
  LossSums evaluate(Tensor<const int32_t> inputs, Tensor<const int32_t> targets,
                    const PassOptions& options) override;

  // train, seen by `observe`, which may be empty.
  LossSums train_observed(const TrainingRows<T>& rows, const LogitsObserver<T>& observe);

 private:
  struct Workspace;
  // The sum of the targets' losses. Where it learns, adds gradients, `scale` times those of the
  // sum.
  double measure(Tensor<const int32_t> tokens, Tensor<const int32_t> targets, bool learns, T scale,
                 const LogitsObserver<T>& observe);
  LossSums losses(double sum, Tensor<const int32_t> targets) const;

  RotaryTable<T> rotary_;
  std::unique_ptr<Workspace> workspace_;
};

}  // namespace ebt
