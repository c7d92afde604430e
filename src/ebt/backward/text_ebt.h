// The energy-based transformer for text: thinking, and the gradient of training through it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "ebt/model/text_model.h"
#include "ebt/think/text_thinking.h"

namespace ebt {

// The random numbers of one training step, as functions that make them where they are needed. Every
// tensor covers the rows at hand.
template <class T>
struct ThinkingDraws {
  std::function<void(Tensor<T>)> initial;            // (N, V) standard normal
  std::function<void(int64_t, Tensor<T>)> langevin;  // step, (N, V) standard normal
  std::function<void(Tensor<T>)> step_size;          // (N) uniform in [0, 1)
  std::vector<int64_t> repeats;                      // thinking steps on each landscape
};

// Sees every thinking step of a training pass: its number, the logits it ends in (N, V), and the
// energies it started from (B, S).
template <class T>
using StepObserver = std::function<void(int64_t, Tensor<const T>, Tensor<const T>)>;

// Training modes share one sweep (PredictionStream::sweep). With v the loss's derivative by a
// step's new logits, t = -alpha v W is the tangent, and the step's share of every gradient is that
// of <u, t>, plus two outer products on W:
//   detached (S1)     each step is swept as soon as it is taken, in the same memory
//   not detached      all steps are kept, then swept from the last to the first, v passing through
//                     the softmax of each
//   truncated (S2)    only the last step is swept; earlier ones pass v on for alpha's sake alone
template <class T>
class TextEbt : public TextModel<T> {
 public:
  ~TextEbt() override;
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
  struct Workspace;
  struct Pass;

  Workspace& workspace(int64_t batch, int64_t context, int64_t queries, bool training);
  double step_size() const;
  EnergyLandscape<T> landscape(Workspace& space, size_t context, int64_t first_query) const;
  std::vector<int64_t> inference_plan(int64_t steps) const;
  void set_step_sizes(Workspace& space, const ThinkingDraws<T>* draws) const;

  ModelConfig config_;
  ThinkingConfig thinking_;
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
