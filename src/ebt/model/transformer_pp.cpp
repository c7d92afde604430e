#include "ebt/model/transformer_pp.h"

#include <utility>

#include "ebt/loss/cross_entropy.h"
#include "ebt/loss/target_sums.h"

namespace ebt {

template <class T>
struct TransformerPp<T>::Workspace {
  int64_t batch, context;
  bool training;
  LandscapeVectors<T> no_vectors;  // the baseline has no landscapes
  ContextStream<T> stream;
  typename RmsNorm<T>::Saved norm;
  Tensor<T> normed, normed_bar;  // (B, S, D)
  Tensor<T> logits;              // (B * S, V)
  Tensor<T> row_loss;            // (B * S)

  Workspace(Arena& arena, const ModelConfig& config, int64_t b, int64_t s, bool train)
      : batch(b),
        context(s),
        training(train),
        no_vectors(arena, config),
        stream(arena, config, b, s, train),
        normed(arena.take<T>({b, s, config.width})),
        logits(arena.take<T>({b * s, config.vocab_size})),
        row_loss(arena.take<T>({b * s})) {
    norm.inverse_rms = arena.take<T>({b, s});
    if (train) {
      normed_bar = arena.take<T>(normed.shape);
    }
  }
};

template <class T>
TransformerPp<T>::TransformerPp(const ModelConfig& model, int64_t rows, int64_t context,
                                bool training)
    : config_(model),
      layout_(text_model_layout(model)),
      weights_(layout_),
      gradients_(training ? ParameterBlock<T>(layout_) : ParameterBlock<T>()),
      views_(text_weights<const T>(model, std::as_const(weights_))),
      gradient_views_(training ? text_weights<T>(model, gradients_) : TextWeights<T>{}),
      rotary_(context, model.head_width(), model.rope_theta),
      arena_(workspace_bytes(model, rows, context, training)) {}

template <class T>
TransformerPp<T>::~TransformerPp() = default;

template <class T>
size_t TransformerPp<T>::workspace_bytes(const ModelConfig& model, int64_t rows, int64_t context,
                                         bool training) {
  Arena measure;
  const Workspace layout(measure, model, rows, context, training);
  return measure.used_bytes();
}

template <class T>
typename TransformerPp<T>::Workspace& TransformerPp<T>::workspace(int64_t batch, int64_t context,
                                                                  bool training) {
  if (workspace_ == nullptr || workspace_->batch != batch || workspace_->context != context ||
      workspace_->training != training) {
    arena_.rewind();
    workspace_ = std::make_unique<Workspace>(arena_, config_, batch, context, training);
  }
  return *workspace_;
}

template <class T>
Tensor<T> TransformerPp<T>::logits(Tensor<const int32_t> tokens, bool training) {
  Workspace& space = workspace(tokens.dim(0), tokens.dim(1), training);
  space.stream.forward(views_, space.no_vectors, rotary_, tokens, 0);
  RmsNorm<T>::forward({views_.final_norm, static_cast<T>(config_.norm_eps)}, space.stream.output(),
                      space.normed, space.norm);
  typename Linear<T>::Saved unused;
  Linear<T>::forward({views_.output, {}}, space.normed, space.logits, unused);
  return space.logits;
}

template <class T>
double TransformerPp<T>::loss(Tensor<const int32_t> targets, T scale) {
  Workspace& space = *workspace_;
  CrossEntropy<T>::loss_and_gradient({targets.reshape({targets.count()}), T(0)}, space.logits,
                                     scale, space.row_loss,
                                     scale == T(0) ? Tensor<T>{} : space.logits);
  double sum = 0;
  for (const T value : space.row_loss) {
    sum += static_cast<double>(value);
  }
  return sum;
}

template <class T>
LossSums TransformerPp<T>::train(const TrainingRows<T>& rows, uint64_t /*seed*/,
                                 uint64_t /*training_step*/) {
  logits(rows.inputs, true);
  Workspace& space = *workspace_;
  LossSums sums;
  sums.objective = loss(rows.targets, static_cast<T>(rows.inverse_token_count));
  sums.cross_entropy = {sums.objective};
  sums.token_count = count_targets(rows.targets);
  const Tensor<T> logits_bar =
      space.logits.reshape({rows.inputs.dim(0), rows.inputs.dim(1), config_.vocab_size});
  typename Linear<T>::Grads output{gradient_views_.output, {}};
  Linear<T>::vjp({views_.output, {}}, {space.normed}, logits_bar, space.normed_bar, Write::kReplace,
                 &output);
  typename RmsNorm<T>::Grads norm{gradient_views_.final_norm};
  RmsNorm<T>::vjp({views_.final_norm, static_cast<T>(config_.norm_eps)}, space.norm,
                  space.normed_bar, space.stream.output_bar(), Write::kReplace, &norm);
  space.stream.vjp(views_, space.no_vectors, rotary_, gradient_views_);
  return sums;
}

template <class T>
LossSums TransformerPp<T>::evaluate(Tensor<const int32_t> inputs, Tensor<const int32_t> targets,
                                    const ThinkOptions& /*options*/) {
  logits(inputs, false);
  LossSums sums;
  sums.objective = loss(targets, T(0));
  sums.cross_entropy = {sums.objective};
  sums.token_count = count_targets(targets);
  return sums;
}

template <class T>
ThinkingTrace<T> TransformerPp<T>::predict_next(Tensor<const int32_t> tokens,
                                                const ThinkOptions& /*options*/) {
  const int64_t count = tokens.count();
  const Tensor<const T> last = logits(tokens.reshape({1, count}), false).slice(count - 1, 1);
  ThinkingTrace<T> trace;
  trace.logits.assign(last.begin(), last.end());
  return trace;
}

template class TransformerPp<float>;
template class TransformerPp<double>;

}  // namespace ebt
