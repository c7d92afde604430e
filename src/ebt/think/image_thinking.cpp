#include "ebt/think/image_thinking.h"

#include "ebt/layers/linear.h"

namespace ebt {

template <class T, class S>
ImageStep<T, S>::ImageStep(Arena& arena, const ImageModelConfig& config, int64_t batch,
                           TrunkUse use)
    : trunk(arena, config, batch, use),
      patch_energy(arena.take<T>({batch, config.patches(), 1})),
      energy(arena.take<T>({batch})),
      gradient(arena.take<T>({batch, config.channels, config.image_height, config.image_width})),
      next(arena.take<T>(gradient.shape)),
      features_bar(arena.take<T>({batch, config.patches(), config.width})) {}

template <class T, class S>
void image_energy(const ImageLandscape<T, S>& at, Tensor<const T> images, ImageStep<T, S>& step) {
  const Tensor<const T> features = step.trunk.forward(at, images);
  typename Linear<T>::Saved unused;
  Linear<T>::forward({at.weights.values().output, {}}, features, step.patch_energy, unused);
  const int64_t patches = step.patch_energy.dim(1);
  for (int64_t b = 0; b < step.energy.count(); ++b) {
    T sum = 0;
    for (int64_t t = b * patches; t < (b + 1) * patches; ++t) {
      sum += step.patch_energy[t];
    }
    step.energy[b] = sum / static_cast<T>(patches);
  }
}

template <class T, class S>
void think_once(const ImageLandscape<T, S>& at, Tensor<const T> images, Tensor<const T> step_size,
                ImageStep<T, S>& step) {
  image_energy(at, images, step);
  // Every feature pulls alike: E is linear in them.
  const Tensor<const T> head = at.weights.values().output;
  const int64_t width = head.count();
  const T share = T(1) / static_cast<T>(step.patch_energy.dim(1));
  const Tensor<T> bar = step.features_bar;
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < bar.count() / width; ++row) {
    for (int64_t i = 0; i < width; ++i) {
      bar.data[row * width + i] = head.data[i] * share;
    }
  }
  step.trunk.vjp(at, bar, step.gradient, nullptr);
  const int64_t size = images.count() / step_size.count();
#pragma omp parallel for schedule(static)
  for (int64_t b = 0; b < step_size.count(); ++b) {
    for (int64_t i = b * size; i < (b + 1) * size; ++i) {
      step.next.data[i] = images.data[i] - step_size.data[b] * step.gradient.data[i];
    }
  }
}

#define EBT_INSTANTIATE(T, S)                                                                 \
  template struct ImageStep<T, S>;                                                            \
  template void image_energy(const ImageLandscape<T, S>&, Tensor<const T>, ImageStep<T, S>&); \
  template void think_once(const ImageLandscape<T, S>&, Tensor<const T>, Tensor<const T>,     \
                           ImageStep<T, S>&);
EBT_INSTANTIATE(float, float)
EBT_INSTANTIATE(float, Bfloat16)
EBT_INSTANTIATE(double, double)
#undef EBT_INSTANTIATE

}  // namespace ebt
