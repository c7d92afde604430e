#include "ebt/model/landscape.h"

#include "ebt/kernels/elementwise.h"
#include "ebt/kernels/modulation.h"

namespace ebt {
template <class T>
LandscapeVectors<T>::LandscapeVectors(Arena& arena, const SequenceConfig& config)
    : layers_(config.layers), width_(config.width) {
  if (config.is_adaln()) {
    const int64_t count = 6 * width_ * layers_ + 2 * width_;
    vectors_ = arena.take<T>({count});
    bars_ = arena.take<T>({count});
    gains_ = arena.take<T>({norms() * width_});
    gain_bars_ = arena.take<T>(gains_.shape);
    active_ = arena.take<T>({1, width_});
    active_bar_ = arena.take<T>(active_.shape);
  }
}

namespace {

enum Part { kShift = 0, kScale = 1, kGate = 2 };

template <class P>
const Tensor<P>& norm_weight(const SequenceWeights<P>& weights, int64_t norm) {
  const auto layer = static_cast<size_t>(norm / 2);
  if (layer == weights.blocks.size()) {
    return weights.final_norm;
  }
  return norm % 2 == 0 ? weights.blocks[layer].attention_norm : weights.blocks[layer].ffn_norm;
}

template <class P>
const ModulationWeights<P>& modulation_of(const SequenceWeights<P>& weights, int64_t layer) {
  const auto at = static_cast<size_t>(layer);
  return at == weights.blocks.size() ? weights.head_modulation : weights.block_modulations[at];
}

}  // namespace

template <class T>
void LandscapeVectors<T>::forward(const SequenceWeights<const T>& weights, int64_t landscape) {
  landscape_ = landscape;
  if (!vectors_) {
    return;
  }
  kernels::elementwise<T>().fill(bars_.count(), T(0), bars_.data);
  kernels::elementwise<T>().fill(gain_bars_.count(), T(0), gain_bars_.data);
  const Tensor<const T> w = weights.landscapes.slice(landscape, 1);
  kernels::modulation<T>().silu(width_, w.data, active_.data);
  for (int64_t layer = 0; layer <= layers_; ++layer) {
    const ModulationWeights<const T>& m = modulation_of(weights, layer);
    const Tensor<T> out = vector(vectors_, layer);
    typename Linear<T>::Saved unused;
    Linear<T>::forward({m.weight, m.bias}, active_, out.reshape({1, out.count()}), unused);
  }
  for (int64_t norm = 0; norm < norms(); ++norm) {
    const Tensor<const T> weight = norm_weight(weights, norm);
    kernels::modulation<T>().gain(width_, weight.data, part(vectors_, norm, kScale).data,
                                  gain(gains_, norm).data);
  }
}

template <class T>
void LandscapeVectors<T>::vjp(const SequenceWeights<const T>& weights,
                              const SequenceWeights<T>& grads) const {
  if (!vectors_) {
    return;
  }
  for (int64_t norm = 0; norm < norms(); ++norm) {
    const Tensor<const T> weight = norm_weight(weights, norm);
    kernels::modulation<T>().gain_vjp(width_, weight.data, part(vectors_, norm, kScale).data,
                                      gain(gain_bars_, norm).data, norm_weight(grads, norm).data,
                                      part(bars_, norm, kScale).data);
  }
  const Tensor<const T> w = weights.landscapes.slice(landscape_, 1);
  kernels::modulation<T>().silu(width_, w.data, active_.data);
  for (int64_t layer = 0; layer <= layers_; ++layer) {
    const ModulationWeights<const T>& m = modulation_of(weights, layer);
    const ModulationWeights<T>& g = modulation_of(grads, layer);
    const Tensor<T> bar = vector(bars_, layer);
    typename Linear<T>::Grads linear{g.weight, g.bias};
    Linear<T>::vjp({m.weight, m.bias}, {active_}, bar.reshape({1, bar.count()}), active_bar_,
                   layer == 0 ? Write::kReplace : Write::kAdd, &linear);
  }
  const Tensor<T> w_bar = grads.landscapes.slice(landscape_, 1);
  kernels::modulation<T>().silu_vjp(width_, w.data, active_bar_.data, true, w_bar.data);
}

template <class T>
HalfModulation<T> LandscapeVectors<T>::modulation(Tensor<T> gains, Tensor<T> vectors,
                                                  int64_t norm) const {
  HalfModulation<T> half{gain(gains, norm), part(vectors, norm, kShift), {}};
  if (norm + 1 < norms()) {
    half.gate = part(vectors, norm, kGate);
  }
  return half;
}

namespace {

template <class T>
HalfModulation<const T> constant(const HalfModulation<T>& half) {
  return {half.gain, half.shift, half.gate};
}

}  // namespace

template <class T>
HalfModulation<const T> LandscapeVectors<T>::half(const SequenceWeights<const T>& weights,
                                                  int64_t layer, int half) const {
  const int64_t norm = 2 * layer + half;
  return vectors_ ? constant(modulation(gains_, vectors_, norm))
                  : HalfModulation<const T>{norm_weight(weights, norm), {}, {}};
}

template <class T>
HalfModulation<const T> LandscapeVectors<T>::head(const SequenceWeights<const T>& weights) const {
  return half(weights, layers_, 0);
}

template <class T>
HalfModulation<T> LandscapeVectors<T>::half_bar(const SequenceWeights<T>& grads, int64_t layer,
                                                int half) const {
  const int64_t norm = 2 * layer + half;
  return vectors_ ? modulation(gain_bars_, bars_, norm)
                  : HalfModulation<T>{norm_weight(grads, norm), {}, {}};
}

template <class T>
HalfModulation<T> LandscapeVectors<T>::head_bar(const SequenceWeights<T>& grads) const {
  return half_bar(grads, layers_, 0);
}

template class LandscapeVectors<float>;
template class LandscapeVectors<double>;

}  // namespace ebt
