#include "ebt/model/prediction_stream.h"

#include <algorithm>
#include <utility>

#include "ebt/kernels/elementwise.h"
#include "ebt/kernels/isa.h"

namespace ebt {
namespace {

template <class T>
void copy(Tensor<const T> from, Tensor<T> to) {
  kernels::kernels<kernels::ElementwiseKernels<T>>().copy(from.count(), from.data, to.data);
}

}  // namespace

template <class T>
HeadValues<T> HeadValues<T>::take(Arena& arena, const ModelConfig& config, int64_t batch,
                                  int64_t queries) {
  HeadValues v;
  v.normed = arena.take<T>({batch, queries, config.width});
  v.modulated = config.is_adaln() ? arena.take<T>(v.normed.shape) : v.normed;
  v.energy = arena.take<T>({batch, queries, 1});
  return v;
}

template <class T>
SweepSpace<T> SweepSpace<T>::take(Arena& arena, const ModelConfig& config, int64_t batch,
                                  int64_t queries) {
  SweepSpace space;
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    space.dot.push_back(BlockValues<T>::take(arena, config, batch, queries));
    if (layer > 0) {
      space.dot.back().input = space.dot[static_cast<size_t>(layer) - 1].output;
    }
  }
  space.head_dot = HeadValues<T>::take(arena, config, batch, queries);
  space.bar = BlockValues<T>::take(arena, config, batch, queries);
  space.bar.input = arena.take<T>(space.bar.output.shape);
  space.head_bar = HeadValues<T>::take(arena, config, batch, queries);
  return space;
}

template <class T>
PredictionStream<T>::PredictionStream(Arena& arena, const ModelConfig& config, int64_t batch,
                                      int64_t queries, bool training)
    : config_(config) {
  const Shape stream{batch, queries, config.width};
  Tensor<T> input = arena.take<T>(stream);
  gradient_ = arena.take<T>(stream);
  Tensor<T> below = gradient_;  // cotangent of a block's input: the output's of the block below
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    BlockValues<T> values = BlockValues<T>::take(arena, config, batch, queries);
    values.input = input;
    input = values.output;
    traces_.push_back(BlockTrace<T>::take(arena, config, batch, queries, values));
    BlockValues<T> delta;
    if (training || layer == 0) {
      delta = BlockValues<T>::take(arena, config, batch, queries);
    } else {
      delta = delta_.back();
      delta.output = arena.take<T>(stream);
    }
    delta.input = below;
    below = delta.output;
    delta_.push_back(delta);
  }
  final_norm_.inverse_rms = arena.take<T>({batch, queries});
  head_ = HeadValues<T>::take(arena, config, batch, queries);
  head_delta_ = HeadValues<T>::take(arena, config, batch, queries);
}

template <class T>
typename PredictionStream<T>::PredictionBlock::Params PredictionStream<T>::params(
    const EnergyLandscape<T>& at, int64_t layer) const {
  const int64_t lead = config_.lead();
  return {at.weights.blocks[static_cast<size_t>(layer)],
          at.rotary.stream(config_.heads, at.first_query + lead + 1, gradient_.dim(1)),
          {config_.heads, at.context.keys(layer), lead, at.first_query},
          at.vectors.block(layer),
          static_cast<T>(config_.norm_eps)};
}

template <class T>
typename PredictionStream<T>::PredictionBlock::Grads PredictionStream<T>::block_grads(
    const EnergyLandscape<T>& at, const TextWeights<T>& grads, int64_t layer) const {
  return {grads.blocks[static_cast<size_t>(layer)],
          {at.context.keys_bar(layer)},
          at.vectors.block_bar(layer)};
}

template <class T>
typename Modulation<T>::Params PredictionStream<T>::head_modulation(
    const EnergyLandscape<T>& at) const {
  const Tensor<const T> both = at.vectors.head();
  return {both.slice(0, config_.width), both.slice(config_.width, config_.width)};
}

template <class T>
Tensor<const T> PredictionStream<T>::forward(const EnergyLandscape<T>& at) {
  for (int64_t layer = 0; layer < config_.layers; ++layer) {
    PredictionBlock::forward(params(at, layer), traces_[static_cast<size_t>(layer)]);
  }
  RmsNorm<T>::forward({at.weights.final_norm, static_cast<T>(config_.norm_eps)},
                      traces_.back().values.output, head_.normed, final_norm_);
  if (config_.is_adaln()) {
    typename Modulation<T>::Saved unused;
    Modulation<T>::forward(head_modulation(at), head_.normed, head_.modulated, unused);
  }
  typename Linear<T>::Saved unused;
  Linear<T>::forward({at.weights.energy_head, {}}, head_.modulated, head_.energy, unused);
  return head_.energy.reshape({head_.energy.dim(0), head_.energy.dim(1)});
}

template <class T>
void PredictionStream<T>::input_gradient(const EnergyLandscape<T>& at) {
  std::fill(head_delta_.energy.begin(), head_delta_.energy.end(), T(1));
  Linear<T>::vjp({at.weights.energy_head, {}}, {head_.modulated}, head_delta_.energy,
                 head_delta_.modulated, Write::kReplace, nullptr);
  if (config_.is_adaln()) {
    Modulation<T>::vjp(head_modulation(at), {head_.normed}, head_delta_.modulated,
                       head_delta_.normed, Write::kReplace, nullptr);
  }
  RmsNorm<T>::vjp({at.weights.final_norm, static_cast<T>(config_.norm_eps)}, final_norm_,
                  head_delta_.normed, delta_.back().output, Write::kReplace, nullptr);
  for (int64_t layer = config_.layers - 1; layer >= 0; --layer) {
    const auto index = static_cast<size_t>(layer);
    PredictionBlock::vjp(params(at, layer), traces_[index], delta_[index], Write::kReplace,
                         nullptr);
  }
}

template <class T>
void PredictionStream<T>::tangent(const EnergyLandscape<T>& at, Tensor<T> e_dot,
                                  SweepSpace<T>& space) {
  space.dot.front().input = e_dot;
  for (int64_t layer = 0; layer < config_.layers; ++layer) {
    const auto index = static_cast<size_t>(layer);
    PredictionBlock::jvp(params(at, layer), traces_[index], space.dot[index]);
  }
  RmsNorm<T>::jvp({at.weights.final_norm, static_cast<T>(config_.norm_eps)}, final_norm_,
                  space.dot.back().output, space.head_dot.normed);
  if (config_.is_adaln()) {
    Modulation<T>::jvp(head_modulation(at), {}, space.head_dot.normed, space.head_dot.modulated);
  }
}

// From bar.energy to the cotangent of the last block's output; with tangents, second order.
template <class T>
void PredictionStream<T>::head_down(const EnergyLandscape<T>& at, const HeadValues<T>* dot,
                                    const BlockValues<T>* top_dot, const HeadValues<T>& bar,
                                    Tensor<T> top_bar, const TextWeights<T>& grads) {
  const typename Linear<T>::Params linear{at.weights.energy_head, {}};
  const typename RmsNorm<T>::Params norm{at.weights.final_norm, static_cast<T>(config_.norm_eps)};
  typename Linear<T>::Grads linear_grads{grads.energy_head, {}};
  typename RmsNorm<T>::Grads norm_grads{grads.final_norm};
  Linear<T>::vjp(linear, {head_.modulated}, bar.energy, bar.modulated, Write::kReplace,
                 &linear_grads);
  if (dot != nullptr) {
    Linear<T>::vjp_of_jvp(linear, {head_.modulated}, dot->modulated, head_delta_.energy,
                          bar.modulated, Write::kAdd, &linear_grads);
  }
  if (config_.is_adaln()) {
    const Tensor<T> vector_bar = at.vectors.head_bar();
    typename Modulation<T>::Grads modulation_grads{vector_bar.slice(0, config_.width),
                                                   vector_bar.slice(config_.width, config_.width)};
    Modulation<T>::vjp(head_modulation(at), {head_.normed}, bar.modulated, bar.normed,
                       Write::kReplace, &modulation_grads);
    if (dot != nullptr) {
      Modulation<T>::vjp_of_jvp(head_modulation(at), {head_.normed}, dot->normed,
                                head_delta_.modulated, bar.normed, Write::kAdd, &modulation_grads);
    }
  }
  RmsNorm<T>::vjp(norm, final_norm_, bar.normed, top_bar, Write::kReplace, &norm_grads);
  if (dot != nullptr) {
    RmsNorm<T>::vjp_of_jvp(norm, final_norm_, top_dot->output, head_delta_.normed, top_bar,
                           Write::kAdd, &norm_grads);
  }
}

template <class T>
void PredictionStream<T>::vjp(const EnergyLandscape<T>& at, Tensor<const T> energy_bar,
                              SweepSpace<T>& space, const TextWeights<T>& grads, Tensor<T> e_bar) {
  copy(energy_bar, space.head_bar.energy);
  BlockValues<T> bar = space.bar;
  head_down(at, nullptr, nullptr, space.head_bar, bar.output, grads);
  for (int64_t layer = config_.layers - 1; layer >= 0; --layer) {
    auto layer_grads = block_grads(at, grads, layer);
    PredictionBlock::vjp(params(at, layer), traces_[static_cast<size_t>(layer)], bar,
                         Write::kReplace, &layer_grads);
    std::swap(bar.input, bar.output);
  }
  copy<T>(bar.output, e_bar);
}

template <class T>
void PredictionStream<T>::sweep(const EnergyLandscape<T>& at, Tensor<T> e_dot,
                                Tensor<const T> energy_bar, SweepSpace<T>& space,
                                const TextWeights<T>& grads, Tensor<T> e_bar) {
  tangent(at, e_dot, space);
  if (energy_bar) {
    copy(energy_bar, space.head_bar.energy);
  } else {
    std::fill(space.head_bar.energy.begin(), space.head_bar.energy.end(), T(0));
  }
  BlockValues<T> bar = space.bar;
  head_down(at, &space.head_dot, &space.dot.back(), space.head_bar, bar.output, grads);
  for (int64_t layer = config_.layers - 1; layer >= 0; --layer) {
    const auto index = static_cast<size_t>(layer);
    auto layer_grads = block_grads(at, grads, layer);
    PredictionBlock::second_order(params(at, layer), traces_[index], space.dot[index],
                                  delta_[index], bar, &layer_grads);
    std::swap(bar.input, bar.output);
  }
  copy<T>(bar.output, e_bar);
}

template struct HeadValues<float>;
template struct HeadValues<double>;
template struct SweepSpace<float>;
template struct SweepSpace<double>;
template class PredictionStream<float>;
template class PredictionStream<double>;

}  // namespace ebt
