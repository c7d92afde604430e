// Transformer++, the baseline: the context stream run to its end, and a linear output layer.
#pragma once

#include <functional>
#include <memory>

#include "ebt/model/context_stream.h"
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
  TransformerPp(const ModelConfig& model, int64_t rows, int64_t context,
                const EngineOptions& options);
  ~TransformerPp() override;
  static size_t workspace_bytes(const ModelConfig& model, int64_t rows, int64_t context,
                                const EngineOptions& options);

  LossSums train(const TrainingRows<T>& rows, uint64_t seed, uint64_t training_step) override;
  LossSums evaluate(Tensor<const int32_t> inputs, Tensor<const int32_t> targets,
                    const PassOptions& options) override;

  // train, seen by `observe`, which may be empty.
  LossSums train_observed(const TrainingRows<T>& rows, const LogitsObserver<T>& observe);

 private:
  struct Workspace;
  // Runs the stream and the last norm on tokens (B, S).
  Workspace& read(Tensor<const int32_t> tokens, bool training);
  // Makes the logits of some positions, in workspace.logits.
  Tensor<T> logits(const Workspace& workspace, int64_t first, int64_t count);
  // Visits all positions in chunks: the sum of their losses. `scale` is 0 or that of the gradients,
  // which are then added and carried to the cotangent of the last norm.
  double measure(Workspace& workspace, Tensor<const int32_t> targets, T scale,
                 const LogitsObserver<T>& observe);

  RotaryTable<T> rotary_;
  std::unique_ptr<Workspace> workspace_;
};

}  // namespace ebt
