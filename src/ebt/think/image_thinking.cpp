#include "ebt/think/image_thinking.h"

#include "ebt/kernels/rows.h"
#include "ebt/kernels/vector_descent.h"
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
  kernels::rows<T>().mean(step.energy.count(), step.patch_energy.dim(1), step.patch_energy.data,
                          step.energy.data);
}

template <class T, class S>
void think_once(const ImageLandscape<T, S>& at, Tensor<const T> images, Tensor<const T> step_size,
                ImageStep<T, S>& step) {
  image_energy(at, images, step);
  // Every feature pulls alike: E is linear in them.
  const Tensor<const T> head = at.weights.values().output;
  kernels::rows<T>().repeat(step.patch_energy.count(), head.count(),
                            T(1) / static_cast<T>(step.patch_energy.dim(1)), head.data,
                            step.features_bar.data);
  step.trunk.vjp(at, step.features_bar, step.gradient, nullptr);
  kernels::vector_descent<T>().descend(step_size.count(), images.count() / step_size.count(),
                                       images.data, step_size.data, step.gradient.data,
                                       step.next.data);
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
