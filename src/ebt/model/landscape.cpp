#include "ebt/model/landscape.h"

#include <algorithm>
#include <vector>

#include "ebt/model/silu.h"

namespace ebt {
template <class T>
LandscapeVectors<T>::LandscapeVectors(Arena& arena, const ModelConfig& config)
    : layers_(config.layers), width_(config.width) {
  if (config.is_adaln()) {
    const int64_t count = 6 * width_ * layers_ + 2 * width_;
    vectors_ = arena.take<T>({count});
    bars_ = arena.take<T>({count});
    gains_ = arena.take<T>({norms() * width_});
    gain_bars_ = arena.take<T>(gains_.shape);
  }
}

namespace {

enum Part { kShift = 0, kScale = 1, kGate = 2 };

template <class P>
const Tensor<P>& norm_weight(const TextWeights<P>& weights, int64_t norm) {
  const auto layer = static_cast<size_t>(norm / 2);
  if (layer == weights.blocks.size()) {
    return weights.final_norm;
  }
  return norm % 2 == 0 ? weights.blocks[layer].attention_norm : weights.blocks[layer].ffn_norm;
}

template <class P>
const ModulationWeights<P>& modulation_of(const TextWeights<P>& weights, int64_t layer) {
  const auto at = static_cast<size_t>(layer);
  return at == weights.blocks.size() ? weights.head_modulation : weights.block_modulations[at];
}

}  // namespace

template <class T>
void LandscapeVectors<T>::forward(const TextWeights<const T>& weights, int64_t landscape) {
  landscape_ = landscape;
  if (!vectors_) {
    return;
  }
  std::fill(bars_.begin(), bars_.end(), T(0));
  std::fill(gain_bars_.begin(), gain_bars_.end(), T(0));
  const Tensor<const T> w = weights.landscapes.slice(landscape, 1);
  std::vector<T> active(static_cast<size_t>(width_));
  std::transform(w.begin(), w.end(), active.begin(), silu<T>);
  const Tensor<const T> input{active.data(), {1, width_}};
  for (int64_t layer = 0; layer <= layers_; ++layer) {
    const ModulationWeights<const T>& m = modulation_of(weights, layer);
    const Tensor<T> out = vector(vectors_, layer);
    typename Linear<T>::Saved unused;
    Linear<T>::forward({m.weight, m.bias}, input, out.reshape({1, out.count()}), unused);
  }
  for (int64_t norm = 0; norm < norms(); ++norm) {
    const Tensor<const T> weight = norm_weight(weights, norm);
    const Tensor<T> scale = part(vectors_, norm, kScale);
    for (int64_t i = 0; i < width_; ++i) {
      gain(gains_, norm)[i] = weight[i] * (T(1) + scale[i]);
    }
  }
}

template <class T>
void LandscapeVectors<T>::vjp(const TextWeights<const T>& weights,
                              const TextWeights<T>& grads) const {
  if (!vectors_) {
    return;
  }
  for (int64_t norm = 0; norm < norms(); ++norm) {
    const Tensor<const T> weight = norm_weight(weights, norm);
    const Tensor<T> scale = part(vectors_, norm, kScale);
    const Tensor<T> bar = gain(gain_bars_, norm);
    for (int64_t i = 0; i < width_; ++i) {
      norm_weight(grads, norm)[i] += bar[i] * (T(1) + scale[i]);
      part(bars_, norm, kScale)[i] = bar[i] * weight[i];
    }
  }
  const Tensor<const T> w = weights.landscapes.slice(landscape_, 1);
  std::vector<T> active(static_cast<size_t>(width_));
  std::vector<T> active_bar(static_cast<size_t>(width_));
  std::transform(w.begin(), w.end(), active.begin(), silu<T>);
  const typename Linear<T>::Saved saved{{active.data(), {1, width_}}};
  for (int64_t layer = 0; layer <= layers_; ++layer) {
    const ModulationWeights<const T>& m = modulation_of(weights, layer);
    const ModulationWeights<T>& g = modulation_of(grads, layer);
    const Tensor<T> bar = vector(bars_, layer);
    typename Linear<T>::Grads linear{g.weight, g.bias};
    Linear<T>::vjp({m.weight, m.bias}, saved, bar.reshape({1, bar.count()}),
                   {active_bar.data(), {1, width_}}, Write::kAdd, &linear);
  }
  const Tensor<T> w_bar = grads.landscapes.slice(landscape_, 1);
  for (int64_t i = 0; i < width_; ++i) {
    w_bar[i] += active_bar[static_cast<size_t>(i)] * silu_slope(w[i]);
  }
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
HalfModulation<const T> LandscapeVectors<T>::half(const TextWeights<const T>& weights,
                                                  int64_t layer, int half) const {
  const int64_t norm = 2 * layer + half;
  return vectors_ ? constant(modulation(gains_, vectors_, norm))
                  : HalfModulation<const T>{norm_weight(weights, norm), {}, {}};
}

template <class T>
HalfModulation<const T> LandscapeVectors<T>::head(const TextWeights<const T>& weights) const {
  return half(weights, layers_, 0);
}

template <class T>
HalfModulation<T> LandscapeVectors<T>::half_bar(const TextWeights<T>& grads, int64_t layer,
                                                int half) const {
  const int64_t norm = 2 * layer + half;
  return vectors_ ? modulation(gain_bars_, bars_, norm)
                  : HalfModulation<T>{norm_weight(grads, norm), {}, {}};
}

template <class T>
HalfModulation<T> LandscapeVectors<T>::head_bar(const TextWeights<T>& grads) const {
  return half_bar(grads, layers_, 0);
}

template class LandscapeVectors<float>;
template class LandscapeVectors<double>;

}  // namespace ebt
