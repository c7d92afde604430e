#include "ebt/model/transformer_pp.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "ebt/core/phase.h"
#include "ebt/core/work_watch.h"
#include "ebt/kernels/convert.h"
#include "ebt/kernels/sums.h"
#include "ebt/layers/cross_entropy.h"
#include "ebt/layers/target_sums.h"

namespace ebt {
namespace {

// Positions whose logits exist at a time.
constexpr int64_t kChunkPositions = 256;

// Of a training pass, roughly; logits lie between them.
constexpr double kShareOfReading = 0.3;
constexpr double kShareOfWayBack = 0.6;

Keep keep_of(bool training, const EngineOptions& options) {
  return !training ? Keep::kKeys : options.recompute ? Keep::kStream : Keep::kAll;
}

}  // namespace

template <class T, class S>
struct TransformerPp<T, S>::Workspace {
  int64_t batch, context;
  bool training;
  LandscapeVectors<T> no_vectors;  // the baseline has no landscapes
  ContextWork<T, S> work;
  ContextStream<T, S> stream;
  typename RmsNorm<T, S>::Saved norm;
  Tensor<S> kept, normed, normed_bar;  // (B, S, D)
  Tensor<T> logits;                    // (chunk, V)
  Tensor<S> logits_bar;                // (chunk, V)
  Tensor<T> row_loss;                  // (chunk)

  Workspace(Arena& arena, const ModelConfig& config, int64_t b, int64_t s, bool train,
            const EngineOptions& options)
      : batch(b),
        context(s),
        training(train),
        no_vectors(arena, config),
        work(ContextWork<T, S>::take(arena, config, b, s, keep_of(train, options))),
        stream(arena, config, b, s, keep_of(train, options), work),
        kept(arena.take<S>({b, s, config.width})),
        normed(arena.take<S>(kept.shape)) {
    const int64_t chunk = std::min(kChunkPositions, b * s);
    norm.inverse_deviation = arena.take<T>({b, s});
    logits = arena.take<T>({chunk, config.vocab_size});
    row_loss = arena.take<T>({chunk});
    if (train) {
      normed_bar = arena.take<S>(kept.shape);
      if constexpr (std::is_same_v<T, S>) {
        logits_bar = logits;
      } else {
        logits_bar = arena.take<S>(logits.shape);
      }
    }
  }
};

template <class T, class S>
TransformerPp<T, S>::TransformerPp(const ModelConfig& model, int64_t rows, int64_t context,
                                   const EngineOptions& options)
    : Shell(model, options, workspace_bytes(model, rows, context, options)),
      rotary_(context, model.head_width(), model.rope_theta) {}

template <class T, class S>
TransformerPp<T, S>::~TransformerPp() = default;

template <class T, class S>
size_t TransformerPp<T, S>::workspace_bytes(const ModelConfig& model, int64_t rows, int64_t context,
                                            const EngineOptions& options) {
  size_t most = 0;
  for (const bool training : {false, true}) {
    if (options.training || !training) {
      Arena measure;
      const Workspace layout(measure, model, rows, context, training, options);
      most = std::max(most, measure.peak_bytes());
    }
  }
  return most;
}

template <class T, class S>
typename TransformerPp<T, S>::Workspace& TransformerPp<T, S>::read(Tensor<const int32_t> tokens,
                                                                   bool training) {
  const int64_t batch = tokens.dim(0);
  const int64_t context = tokens.dim(1);
  if (workspace_ == nullptr || workspace_->batch != batch || workspace_->context != context ||
      workspace_->training != training) {
    this->arena_.rewind();
    workspace_ = std::make_unique<Workspace>(this->arena_, this->config(), batch, context, training,
                                             this->options());
  }
  Workspace& space = *workspace_;
  const PartOfWork reading(0, training ? kShareOfReading : 1);
  space.stream.forward(this->operands().views(), space.no_vectors, rotary_, {tokens, {}}, 0);
  RmsNorm<T, S>::read_stream(
      {this->operands().views().values.final_norm, static_cast<T>(this->config().norm_eps), {}},
      space.stream.output(), space.kept, space.normed, space.norm);
  return space;
}

// Positions [first, first + count) of (B, S, D) as a matrix.
template <class X>
Tensor<X> positions(Tensor<X> all, int64_t first, int64_t count) {
  return all.reshape({all.dim(0) * all.dim(1), all.dim(2)}).slice(first, count);
}

template <class T, class S>
Tensor<T> TransformerPp<T, S>::logits(const Workspace& space, int64_t first, int64_t count) {
  const Tensor<T> out = space.logits.slice(0, count);
  typename Linear<T, S>::Saved unused;
  Linear<T, S>::forward({this->operands().views().output, {}},
                        positions(space.normed, first, count), out, unused);
  return out;
}

template <class T, class S>
double TransformerPp<T, S>::measure(Workspace& space, Tensor<const int32_t> targets, T scale,
                                    const LogitsObserver<T>& observe) {
  const PhaseScope scope(Phase::kVocabulary);
  const int64_t all = targets.count();
  double sum = 0;
  for (int64_t first = 0; first < all; first += space.logits.dim(0)) {
    const int64_t count = std::min(space.logits.dim(0), all - first);
    const Tensor<T> part = logits(space, first, count);
    if (observe) {
      observe(first, part);
    }
    const Tensor<T> loss = space.row_loss.slice(0, count);
    CrossEntropy<T>::loss_and_gradient({targets.reshape({all}).slice(first, count), T(0)}, part,
                                       scale, loss, scale == T(0) ? Tensor<T>{} : part);
    kernels::sums<T>().sum(count, loss.data, &sum);
    if (scale == T(0)) {
      continue;
    }
    const Tensor<S> bar = space.logits_bar.slice(0, count);
    if constexpr (!std::is_same_v<T, S>) {
      kernels::convert<T, S>().round(part.count(), part.data, bar.data);
    }
    typename Linear<T, S>::Grads output{this->gradients_by_role().output, {}};
    Linear<T, S>::vjp({this->operands().views().output, {}},
                      {positions(space.normed, first, count)}, bar,
                      positions(space.normed_bar, first, count), Write::kReplace, &output);
  }
  return sum;
}

template <class T, class S>
LossSums TransformerPp<T, S>::train_observed(const TrainingRows<T>& rows,
                                             const LogitsObserver<T>& observe) {
  Workspace& space = read(rows.inputs, true);
  LossSums sums;
  sums.objective = measure(space, rows.targets, static_cast<T>(rows.inverse_token_count), observe);
  sums.losses = {sums.objective};
  sums.count = count_targets(rows.targets);
  typename RmsNorm<T, S>::Grads norm{this->gradients_by_role().final_norm, {}};
  RmsNorm<T, S>::vjp_to_stream(
      {this->operands().views().values.final_norm, static_cast<T>(this->config().norm_eps), {}},
      space.norm, space.normed_bar,
      {space.stream.output().data, false, space.stream.output_bar_stored().data}, &norm, {});
  const PartOfWork way_back(1 - kShareOfWayBack, kShareOfWayBack);
  space.stream.vjp(this->operands().views(), space.no_vectors, rotary_, this->gradients_by_role());
  return sums;
}

template <class T, class S>
LossSums TransformerPp<T, S>::train(const TrainingRows<T>& rows, uint64_t /*seed*/,
                                    uint64_t /*training_step*/) {
  return train_observed(rows, {});
}

template <class T, class S>
LossSums TransformerPp<T, S>::evaluate(Tensor<const int32_t> inputs, Tensor<const int32_t> targets,
                                       const PassOptions& /*options*/) {
  LossSums sums;
  sums.objective = measure(read(inputs, false), targets, T(0), {});
  sums.losses = {sums.objective};
  sums.count = count_targets(targets);
  return sums;
}

template class TransformerPp<float>;
template class TransformerPp<double>;
template class TransformerPp<float, Bfloat16>;

}  // namespace ebt
