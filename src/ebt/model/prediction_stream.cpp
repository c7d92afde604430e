#include "ebt/model/prediction_stream.h"

#include <utility>

#include "ebt/core/phase.h"
#include "ebt/kernels/convert.h"
#include "ebt/kernels/elementwise.h"

namespace ebt {
namespace {

template <class T>
void copy(Tensor<const T> from, Tensor<T> to) {
  kernels::elementwise<T>().copy(from.count(), from.data, to.data);
}
template <class T, class S>
void round(Tensor<const T> from, Tensor<S> to) {
  kernels::convert<T, S>().round(from.count(), from.data, to.data);
}

}  // namespace

template <class T>
HeadValues<T> HeadValues<T>::take(Arena& arena, const ModelConfig& config, int64_t batch,
                                  int64_t queries) {
  return {arena.take<T>({batch, queries, config.width}), arena.take<T>({batch, queries, 1})};
}

template <class T, class S>
SweepSpace<T, S> SweepSpace<T, S>::take(Arena& arena, const ModelConfig& config, int64_t batch,
                                        int64_t queries) {
  SweepSpace space;
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    space.dot.push_back(BlockValues<S>::take(arena, config, batch, queries));
  }
  space.bar = BlockCotangents<S>::take(arena, config, batch, queries);
  space.output_bar = arena.take<S>({batch, queries, config.width});
  space.below = arena.take<S>(space.output_bar.shape);
  space.head_dot = HeadValues<T>::take(arena, config, batch, queries);
  space.head_bar = HeadValues<T>::take(arena, config, batch, queries);
  return space;
}

template <class T, class S>
PredictionStream<T, S>::PredictionStream(Arena& arena, const ModelConfig& config, int64_t batch,
                                         int64_t queries, bool training)
    : config_(config) {
  const Shape stream{batch, queries, config.width};
  stream_ = arena.take<T>(stream);
  gradient_ = arena.take<T>(stream);
  gradient_stored_ = arena.take<S>(stream);
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    traces_.push_back(BlockTrace<T, S>::take(arena, config, batch, queries,
                                             BlockValues<S>::take(arena, config, batch, queries)));
    if (training || layer == 0) {
      delta_.push_back(BlockCotangents<S>::take(arena, config, batch, queries));
    } else {
      delta_.push_back(delta_.back());
    }
    delta_.back().output = arena.take<S>(stream);
  }
  work_ = BlockWork<S>::take(arena, config, batch, queries);
  final_norm_.inverse_deviation = arena.take<T>({batch, queries});
  head_ = HeadValues<T>::take(arena, config, batch, queries);
  head_delta_ = HeadValues<T>::take(arena, config, batch, queries);
}

template <class T, class S>
typename PredictionStream<T, S>::PredictionBlock::Params PredictionStream<T, S>::params(
    const EnergyLandscape<T, S>& at, int64_t layer) const {
  const int64_t lead = config_.lead();
  return {at.weights.blocks[static_cast<size_t>(layer)],
          at.vectors.half(at.weights.values, layer, 0),
          at.vectors.half(at.weights.values, layer, 1),
          at.rotary.stream(config_.heads, at.first_query + lead + 1, gradient_.dim(1)),
          {config_.heads, at.context.keys(layer), lead, at.first_query, at.first_row},
          static_cast<T>(config_.norm_eps)};
}

template <class T, class S>
typename PredictionStream<T, S>::PredictionBlock::Grads PredictionStream<T, S>::block_grads(
    const EnergyLandscape<T, S>& at, const TextWeights<T>& grads, int64_t layer) const {
  return {grads.blocks[static_cast<size_t>(layer)],
          at.vectors.half_bar(grads, layer, 0),
          at.vectors.half_bar(grads, layer, 1),
          {at.context.keys_bar(layer)}};
}

template <class T, class S>
typename RmsNorm<T>::Params PredictionStream<T, S>::head_norm(
    const EnergyLandscape<T, S>& at) const {
  const HalfModulation<const T> head = at.vectors.head(at.weights.values);
  return {head.gain, static_cast<T>(config_.norm_eps), head.shift};
}

template <class T, class S>
Tensor<const T> PredictionStream<T, S>::forward(const EnergyLandscape<T, S>& at) {
  const PhaseScope scope(Phase::kThinking);
  for (int64_t layer = 0; layer < config_.layers; ++layer) {
    PredictionBlock::forward(params(at, layer), stream_, traces_[static_cast<size_t>(layer)],
                             work_);
  }
  RmsNorm<T>::forward(head_norm(at), stream_, head_.normed, final_norm_);
  typename Linear<T>::Saved unused;
  Linear<T>::forward({at.weights.values.energy_head, {}}, head_.normed, head_.energy, unused);
  return head_.energy.reshape({head_.energy.dim(0), head_.energy.dim(1)});
}

template <class T, class S>
void PredictionStream<T, S>::input_gradient(const EnergyLandscape<T, S>& at) {
  const PhaseScope scope(Phase::kInnerGradient);
  kernels::elementwise<T>().fill(head_delta_.energy.count(), T(1), head_delta_.energy.data);
  Linear<T>::vjp({at.weights.values.energy_head, {}}, {head_.normed}, head_delta_.energy,
                 head_delta_.normed, Write::kReplace, nullptr);
  RmsNorm<T>::vjp(head_norm(at), final_norm_, head_delta_.normed, gradient_, Write::kReplace,
                  nullptr);
  round<T, S>(gradient_, delta_.back().output);
  for (int64_t layer = config_.layers - 1; layer >= 0; --layer) {
    const auto index = static_cast<size_t>(layer);
    const Tensor<S> below = layer == 0 ? gradient_stored_ : delta_[index - 1].output;
    PredictionBlock::vjp(params(at, layer), traces_[index], delta_[index], {gradient_, below},
                         work_, nullptr);
  }
}

template <class T, class S>
void PredictionStream<T, S>::tangent(const EnergyLandscape<T, S>& at, Tensor<T> e_dot,
                                     SweepSpace<T, S>& space) {
  const PhaseScope scope(Phase::kTangent);
  for (int64_t layer = 0; layer < config_.layers; ++layer) {
    const auto index = static_cast<size_t>(layer);
    PredictionBlock::jvp(params(at, layer), e_dot, traces_[index], space.dot[index], work_);
  }
  RmsNorm<T>::jvp(head_norm(at), final_norm_, e_dot, space.head_dot.normed);
}

template <class T, class S>
void PredictionStream<T, S>::head_down(const EnergyLandscape<T, S>& at, const HeadValues<T>* dot,
                                       Tensor<const T> top_dot, const HeadValues<T>& bar,
                                       Tensor<T> top_bar, const TextWeights<T>& grads) {
  const typename Linear<T>::Params linear{at.weights.values.energy_head, {}};
  typename Linear<T>::Grads linear_grads{grads.energy_head, {}};
  const HalfModulation<T> norm_bar = at.vectors.head_bar(grads);
  typename RmsNorm<T>::Grads norm_grads{norm_bar.gain, norm_bar.shift};
  Linear<T>::vjp(linear, {head_.normed}, bar.energy, bar.normed, Write::kReplace, &linear_grads);
  if (dot == nullptr) {
    RmsNorm<T>::vjp(head_norm(at), final_norm_, bar.normed, top_bar, Write::kReplace, &norm_grads);
    return;
  }
  Linear<T>::vjp_of_jvp(linear, {head_.normed}, dot->normed, head_delta_.energy, {},
                        Write::kReplace, &linear_grads);
  RmsNorm<T>::second_order_to_stream(head_norm(at), final_norm_, top_dot, head_delta_.normed,
                                     bar.normed, {top_bar.data, false, nullptr}, &norm_grads, {},
                                     {});
}

template <class T, class S>
Tensor<const S> PredictionStream<T, S>::vjp(const EnergyLandscape<T, S>& at,
                                            Tensor<const T> energy_bar, SweepSpace<T, S>& space,
                                            const TextWeights<T>& grads, Tensor<T> e_bar) {
  copy(energy_bar, space.head_bar.energy);
  head_down(at, nullptr, {}, space.head_bar, e_bar, grads);
  BlockCotangents<S> bar = space.bar;
  bar.output = space.output_bar;
  Tensor<S> below = space.below;
  round<T, S>(e_bar, bar.output);
  for (int64_t layer = config_.layers - 1; layer >= 0; --layer) {
    auto layer_grads = block_grads(at, grads, layer);
    PredictionBlock::vjp(params(at, layer), traces_[static_cast<size_t>(layer)], bar,
                         {e_bar, below}, work_, &layer_grads);
    std::swap(bar.output, below);
  }
  return bar.output;
}

template <class T, class S>
Tensor<const S> PredictionStream<T, S>::sweep(const EnergyLandscape<T, S>& at, Tensor<T> e_dot,
                                              Tensor<const T> energy_bar, SweepSpace<T, S>& space,
                                              const TextWeights<T>& grads, Tensor<T> e_bar) {
  const PhaseScope scope(Phase::kSecondOrder);
  tangent(at, e_dot, space);
  if (energy_bar) {
    copy(energy_bar, space.head_bar.energy);
  } else {
    kernels::elementwise<T>().fill(space.head_bar.energy.count(), T(0), space.head_bar.energy.data);
  }
  head_down(at, &space.head_dot, e_dot, space.head_bar, e_bar, grads);
  BlockCotangents<S> bar = space.bar;
  bar.output = space.output_bar;
  Tensor<S> below = space.below;
  round<T, S>(e_bar, bar.output);
  for (int64_t layer = config_.layers - 1; layer >= 0; --layer) {
    const auto index = static_cast<size_t>(layer);
    auto layer_grads = block_grads(at, grads, layer);
    PredictionBlock::second_order(params(at, layer), traces_[index], space.dot[index],
                                  delta_[index], bar, {e_bar, below}, work_, layer_grads);
    std::swap(bar.output, below);
  }
  return bar.output;
}

#define EBT_INSTANTIATE(T, S)       \
  template struct SweepSpace<T, S>; \
  template class PredictionStream<T, S>;
EBT_INSTANTIATE(float, float)
EBT_INSTANTIATE(float, Bfloat16)
EBT_INSTANTIATE(double, double)
#undef EBT_INSTANTIATE
template struct HeadValues<float>;
template struct HeadValues<double>;

}  // namespace ebt
