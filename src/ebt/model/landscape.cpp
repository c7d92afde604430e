#include "ebt/model/landscape.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace ebt {
namespace {

// silu(w) and its derivative, in the precision of the model.
template <class T>
T silu(T w) {
  return w / (T(1) + std::exp(-w));
}
template <class T>
T silu_slope(T w) {
  const T gate = T(1) / (T(1) + std::exp(-w));
  return gate + w * gate * (T(1) - gate);
}

}  // namespace

template <class T>
LandscapeVectors<T>::LandscapeVectors(Arena& arena, const ModelConfig& config)
    : layers_(config.layers), width_(config.width) {
  if (config.is_adaln()) {
    const int64_t count = 6 * width_ * layers_ + 2 * width_;
    vectors_ = arena.take<T>({count});
    bars_ = arena.take<T>({count});
  }
}

template <class T>
Tensor<T> LandscapeVectors<T>::part(Tensor<T> all, int64_t layer) const {
  if (!all) {
    return {};
  }
  return all.slice(6 * width_ * layer, (layer == layers_ ? 2 : 6) * width_);
}

template <class T>
void LandscapeVectors<T>::forward(const TextWeights<const T>& weights, int64_t landscape) {
  landscape_ = landscape;
  if (!vectors_) {
    return;
  }
  std::fill(bars_.begin(), bars_.end(), T(0));
  const Tensor<const T> w = weights.landscapes.slice(landscape, 1);
  std::vector<T> active(static_cast<size_t>(width_));
  std::transform(w.begin(), w.end(), active.begin(), silu<T>);
  const Tensor<const T> input{active.data(), {1, width_}};
  for (int64_t layer = 0; layer <= layers_; ++layer) {
    const ModulationWeights<const T>& m =
        layer == layers_ ? weights.head_modulation
                         : weights.block_modulations[static_cast<size_t>(layer)];
    const Tensor<T> out = part(vectors_, layer);
    typename Linear<T>::Saved unused;
    Linear<T>::forward({m.weight, m.bias}, input, out.reshape({1, out.count()}), unused);
  }
}

template <class T>
void LandscapeVectors<T>::vjp(const TextWeights<const T>& weights,
                              const TextWeights<T>& grads) const {
  if (!vectors_) {
    return;
  }
  const Tensor<const T> w = weights.landscapes.slice(landscape_, 1);
  std::vector<T> active(static_cast<size_t>(width_));
  std::vector<T> active_bar(static_cast<size_t>(width_));
  std::transform(w.begin(), w.end(), active.begin(), silu<T>);
  const typename Linear<T>::Saved saved{{active.data(), {1, width_}}};
  for (int64_t layer = 0; layer <= layers_; ++layer) {
    const auto at = static_cast<size_t>(layer);
    const ModulationWeights<const T>& m =
        layer == layers_ ? weights.head_modulation : weights.block_modulations[at];
    const ModulationWeights<T>& g =
        layer == layers_ ? grads.head_modulation : grads.block_modulations[at];
    const Tensor<T> bar = part(bars_, layer);
    typename Linear<T>::Grads linear{g.weight, g.bias};
    Linear<T>::vjp({m.weight, m.bias}, saved, bar.reshape({1, bar.count()}),
                   {active_bar.data(), {1, width_}}, Write::kAdd, &linear);
  }
  const Tensor<T> w_bar = grads.landscapes.slice(landscape_, 1);
  for (int64_t i = 0; i < width_; ++i) {
    w_bar[i] += active_bar[static_cast<size_t>(i)] * silu_slope(w[i]);
  }
}

template class LandscapeVectors<float>;
template class LandscapeVectors<double>;

}  // namespace ebt
