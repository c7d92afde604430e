#include "ebt/model/modulation.h"

#include "ebt/kernels/elementwise.h"
#include "ebt/kernels/modulation.h"
#include "ebt/layers/linear.h"

namespace ebt {
namespace {

// The parts of a half's vector, in the published order.
enum Part { kShift = 0, kScale = 1, kGate = 2 };
constexpr int64_t kParts = 3;

template <class P, class T>
HalfModulation<P> modulation_of(Tensor<T> vectors, int64_t width, int64_t half) {
  const kernels::Matrix<P> all(vectors);
  const auto part = [&](Part which) {
    return all.columns_from((kParts * half + which) * width, width);
  };
  HalfModulation<P> m{part(kScale), part(kShift), {}};
  if (vectors.dim(1) > 2 * width) {
    m.gate = part(kGate);
  }
  return m;
}

}  // namespace

template <class T>
Modulation<T>::Modulation(Arena& arena, int64_t layers, int64_t width, int64_t groups)
    : width_(width),
      active_(arena.take<T>({groups, width})),
      active_bar_(arena.take<T>({groups, width})) {
  for (int64_t layer = 0; layer <= layers; ++layer) {
    const Shape shape{groups, (layer == layers ? 2 : 6) * width};
    vectors_.push_back(arena.take<T>(shape));
    bars_.push_back(arena.take<T>(shape));
  }
}

template <class T>
void Modulation<T>::forward(const std::vector<ModulationWeights<const T>>& weights,
                            Tensor<const T> conditions) {
  check_shape("modulation", "the conditions", conditions.shape, active_.shape);
  conditions_ = conditions;
  kernels::modulation<T>().silu(conditions.count(), conditions.data, active_.data);
  for (size_t layer = 0; layer < vectors_.size(); ++layer) {
    typename Linear<T>::Saved unused;
    Linear<T>::forward({weights[layer].weight, weights[layer].bias}, active_, vectors_[layer],
                       unused);
    // A norm's gain is 1 + scale.
    const int64_t vector = vectors_[layer].dim(1);
    for (int64_t start = kScale * width_; start < vector; start += kParts * width_) {
      kernels::modulation<T>().add_one(active_.dim(0), width_, vector,
                                       vectors_[layer].data + start);
    }
    kernels::elementwise<T>().fill(bars_[layer].count(), T(0), bars_[layer].data);
  }
}

template <class T>
void Modulation<T>::vjp(const std::vector<ModulationWeights<const T>>& weights,
                        const std::vector<ModulationWeights<T>>& grads, Tensor<T> conditions_bar) {
  for (size_t layer = 0; layer < bars_.size(); ++layer) {
    typename Linear<T>::Grads linear{grads[layer].weight, grads[layer].bias};
    Linear<T>::vjp({weights[layer].weight, {}}, {active_}, bars_[layer], active_bar_,
                   layer == 0 ? Write::kReplace : Write::kAdd, &linear);
  }
  kernels::modulation<T>().silu_vjp(conditions_bar.count(), conditions_.data, active_bar_.data,
                                    true, conditions_bar.data);
}

template <class T>
HalfModulation<const T> Modulation<T>::half(int64_t layer, int half) const {
  return modulation_of<const T>(vectors_[static_cast<size_t>(layer)], width_, half);
}
template <class T>
HalfModulation<const T> Modulation<T>::head() const {
  return modulation_of<const T>(vectors_.back(), width_, 0);
}
template <class T>
HalfModulation<T> Modulation<T>::half_bar(int64_t layer, int half) const {
  return modulation_of<T>(bars_[static_cast<size_t>(layer)], width_, half);
}
template <class T>
HalfModulation<T> Modulation<T>::head_bar() const {
  return modulation_of<T>(bars_.back(), width_, 0);
}

template class Modulation<float>;
template class Modulation<double>;

}  // namespace ebt
