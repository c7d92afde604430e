#include "ebt/model/transformer_pp.h"

#include <algorithm>

#include "ebt/core/phase.h"
#include "ebt/kernels/sums.h"
#include "ebt/layers/cross_entropy.h"
#include "ebt/layers/target_sums.h"

namespace ebt {

template <class T, class S>
struct TransformerPp<T, S>::Workspace {
  DirectPredictor<T, S> predictor;
  Tensor<T> row_loss;  // (chunk)

  Workspace(Arena& arena, const TextModelConfig& config,
            const typename DirectPredictor<T, S>::Work& work, const EngineOptions& options)
      : predictor(arena, config, config.vocab_size, work, options),
        row_loss(arena.take<T>({work.chunk()})) {}
};

template <class T, class S>
TransformerPp<T, S>::TransformerPp(const TextModelConfig& model, int64_t rows, int64_t context,
                                   const EngineOptions& options)
    : Shell(model, options, workspace_bytes(model, rows, context, options)),
      rotary_(context, model.head_width(), model.rope_theta) {}

template <class T, class S>
TransformerPp<T, S>::~TransformerPp() = default;

template <class T, class S>
size_t TransformerPp<T, S>::workspace_bytes(const TextModelConfig& model, int64_t rows,
                                            int64_t context, const EngineOptions& options) {
  return larger_layout_bytes(options.training, [&](Arena& arena, bool training) {
    const Workspace layout(arena, model, {rows, context, training}, options);
  });
}

template <class T, class S>
double TransformerPp<T, S>::measure(Tensor<const int32_t> tokens, Tensor<const int32_t> targets,
                                    bool learns, T scale, const LogitsObserver<T>& observe) {
  const typename DirectPredictor<T, S>::Work work{tokens.dim(0), tokens.dim(1), learns};
  if (workspace_ == nullptr || !(workspace_->predictor.work() == work)) {
    this->arena_.rewind();
    workspace_ = std::make_unique<Workspace>(this->arena_, this->config(), work, this->options());
  }
  DirectPredictor<T, S>& predictor = workspace_->predictor;
  const SequenceOperandViews<T, S>& weights = this->operands().views();
  predictor.read(weights, rotary_, {tokens, {}});
  double sum = 0;
  {
    const PhaseScope scope(Phase::kVocabulary);
    predictor.predict(weights, learns ? &this->gradients_by_role() : nullptr,
                      [&](int64_t first, Tensor<T> logits) {
                        if (observe) {
                          observe(first, logits);
                        }
                        const int64_t count = logits.dim(0);
                        const Tensor<T> loss = workspace_->row_loss.slice(0, count);
                        CrossEntropy<T>::loss_and_gradient(
                            {targets.reshape({targets.count()}).slice(first, count), T(0)}, logits,
                            scale, loss, learns ? logits : Tensor<T>{});
                        kernels::sums<T>().sum(count, loss.data, &sum);
                      });
  }
  if (learns) {
    predictor.vjp(weights, rotary_, this->gradients_by_role());
  }
  return sum;
}

template <class T, class S>
LossSums TransformerPp<T, S>::losses(double sum, Tensor<const int32_t> targets) const {
  LossSums sums;
  sums.objective = sum;
  sums.losses = {sum};
  sums.count = count_targets(targets);
  return sums;
}

template <class T, class S>
LossSums TransformerPp<T, S>::train_observed(const TrainingRows<T>& rows,
                                             const LogitsObserver<T>& observe) {
  return losses(
      measure(rows.inputs, rows.targets, true, static_cast<T>(rows.inverse_token_count), observe),
      rows.targets);
}

template <class T, class S>
LossSums TransformerPp<T, S>::train(const TrainingRows<T>& rows, uint64_t /*seed*/,
                                    uint64_t /*training_step*/) {
  return train_observed(rows, {});
}

template <class T, class S>
LossSums TransformerPp<T, S>::evaluate(Tensor<const int32_t> inputs, Tensor<const int32_t> targets,
                                       const PassOptions& /*options*/) {
  return losses(measure(inputs, targets, false, T(0), {}), targets);
}

template class TransformerPp<float>;
template class TransformerPp<double>;
template class TransformerPp<float, Bfloat16>;

}  // namespace ebt
