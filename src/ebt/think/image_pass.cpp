#include "ebt/think/image_pass.h"

#include <algorithm>

#include "ebt/kernels/elementwise.h"
#include "ebt/kernels/rows.h"
#include "ebt/kernels/sums.h"
#include "ebt/kernels/vector_descent.h"
#include "ebt/layers/linear.h"
#include "ebt/layers/smooth_l1.h"
#include "ebt/model/thinking_config.h"

namespace ebt {
namespace {

template <class T>
double sum(Tensor<const T> values) {
  double total = 0;
  kernels::sums<T>().sum(values.count(), values.data, &total);
  return total;
}

// One chunk, in the order in which it happens.
template <class T, class S>
struct ChunkPass {
  const ImageEbtParts<T, S>& model;
  Tensor<const T> clean;  // (n, C, H, W)
  int64_t first;          // image of the rows
  double inverse_image_count;
  const ImageDraws<T>& draws;
  const ImageStepObserver<T>& observe;
  bool learns;
  ImageSpace<T, S>& space;
  LossSums& sums;

  const ImageThinkingConfig& thinking() const { return model.thinking; }
  size_t steps() const { return static_cast<size_t>(draws.steps); }
  bool is_last(size_t i) const { return i + 1 == steps(); }
  bool has_loss(size_t i) const { return !thinking().truncate || is_last(i); }
  bool keeps_all() const { return learns && gradient_crosses_steps(thinking()); }
  ImageStep<T, S>& step(size_t i) { return space.steps[keeps_all() ? i : 0]; }
  Tensor<T> slope(size_t i) { return space.slopes[keeps_all() ? i : 0]; }
  // Each step's weight in the objective.
  double weight() const { return thinking().truncate ? 1.0 : 1.0 / static_cast<double>(steps()); }
  double alpha() const {
    return std::max(static_cast<double>(model.at.weights.values().step_size[0]), kSmallestStepSize);
  }

  void set_step_sizes() {
    const auto size = static_cast<T>(alpha());
    const auto spread = static_cast<T>(thinking().step_size_spread);
    const Tensor<T> sizes = space.step_size;
    if (draws.step_size && spread != T(1)) {
      draws.step_size(first, sizes);
      const T least = T(1) / spread;
      kernels::elementwise<T>().affine(sizes.count(), least, spread - least, sizes.data);
      kernels::elementwise<T>().scale(sizes.count(), size, sizes.data);
    } else {
      kernels::elementwise<T>().fill(sizes.count(), size, sizes.data);
    }
  }

  void take_step(size_t i) {
    ImageStep<T, S>& s = step(i);
    Tensor<const T> images = i == 0 ? space.start : Tensor<const T>(step(i - 1).next);
    if (draws.langevin && thinking().langevin_noise > 0) {
      draws.langevin(static_cast<int64_t>(i), first, space.noisy);
      const auto scale = static_cast<T>(std::max(thinking().langevin_noise, 1e-6));
      kernels::elementwise<T>().axpby(images.count(), T(1), images.data, scale, space.noisy.data);
      images = space.noisy;
    }
    think_once<T, S>(model.at, images, space.step_size, s);
    sums.energies[i] += sum<T>(s.energy);
    if (observe) {
      observe(static_cast<int64_t>(i), first, s.next, s.energy);
    }
    const auto scale = static_cast<T>(weight() * inverse_image_count);
    smooth_l1<T>(s.next, clean, scale, space.row_loss, space.row_error,
                 learns && has_loss(i) ? slope(i) : Tensor<T>{});
    sums.losses[i] += sum<T>(space.row_error);
    sums.objective += has_loss(i) ? weight() * sum<T>(space.row_loss) : 0.0;
  }

  // t = -alpha v, and alpha's gradient -sum <v, g> alpha_b / alpha.
  void set_tangent(size_t i) {
    const int64_t size = clean.count() / space.images;
    kernels::vector_descent<T>().vjp(space.images, size, slope(i).data, space.step_size.data,
                                     space.tangent.data);
    kernels::rows<T>().dot(space.images, size, space.tangent.data, step(i).gradient.data,
                           space.row_loss.data);
    if (static_cast<double>(model.at.weights.values().step_size[0]) >= kSmallestStepSize) {
      model.gradients.step_size[0] += static_cast<T>(sum<T>(space.row_loss) / alpha());
    }
  }

  // The second-order sweep of step i, from slope(i). With `pass_on`, slope(i) becomes the
  // derivative by the images before the step.
  void sweep(size_t i, bool pass_on) {
    ImageStep<T, S>& s = step(i);
    set_tangent(i);
    const Tensor<const T> features_dot = s.trunk.jvp(model.at, space.tangent, space.sweep);
    // The tangent of E, of which the head's weights are the only factor beside the features.
    const int64_t rows = features_dot.dim(0) * features_dot.dim(1);
    const auto share = T(1) / static_cast<T>(features_dot.dim(1));
    kernels::elementwise<T>().fill(s.patch_energy.count(), share, s.patch_energy.data);
    typename Linear<T>::Grads head{model.gradients.output, {}};
    Linear<T>::vjp_of_jvp({}, {}, features_dot.reshape({rows, features_dot.dim(2)}),
                          s.patch_energy.reshape({rows, 1}), {}, Write::kReplace, &head);
    s.trunk.second_order(model.at, space.tangent, space.sweep, pass_on ? slope(i) : Tensor<T>{},
                         model.gradients);
  }

  void run() {
    draws.noisy(first, space.start);
    set_step_sizes();
    for (size_t i = 0; i < steps(); ++i) {
      take_step(i);
      if (learns && !keeps_all() && has_loss(i)) {
        sweep(i, false);
      }
    }
    for (size_t i = steps(); keeps_all() && i-- > 0;) {
      if (!is_last(i) && has_loss(i)) {
        kernels::elementwise<T>().add(slope(i).count(), T(1), slope(i + 1).data, slope(i).data);
      } else if (!is_last(i)) {
        kernels::elementwise<T>().copy(slope(i).count(), slope(i + 1).data, slope(i).data);
      }
      if (has_loss(i)) {
        sweep(i, i > 0);
      } else {
        set_tangent(i);  // a truncated step: its gradient counts as a constant, but alpha scaled it
      }
    }
  }
};

}  // namespace

template <class T, class S>
ImageSpace<T, S>::ImageSpace(Arena& arena, const ImageModelConfig& model,
                             const ImageThinkingConfig& thinking, int64_t n, bool training)
    : images(n) {
  const Shape shape{n, model.channels, model.image_height, model.image_width};
  const bool keep_all = training && gradient_crosses_steps(thinking);
  for (int64_t i = 0; i < (keep_all ? thinking.steps_max : 1); ++i) {
    steps.emplace_back(arena, model, n, training ? TrunkUse::kSecondOrder : TrunkUse::kGradient);
    if (training) {
      slopes.push_back(arena.take<T>(shape));
    }
  }
  start = arena.take<T>(shape);
  step_size = arena.take<T>({n});
  row_loss = arena.take<T>({n});
  row_error = arena.take<T>({n});
  if (!training) {
    return;
  }
  noisy = thinking.langevin_noise > 0 ? arena.take<T>(shape) : Tensor<T>{};
  tangent = arena.take<T>(shape);
  sweep = ImageSweepSpace<T, S>::take(arena, model, n);
}

template <class T, class S>
LossSums image_pass(const ImageEbtParts<T, S>& model, const ImageRows<T>& rows, int64_t first,
                    const ImageDraws<T>& draws, const ImageStepObserver<T>& observe, bool learns,
                    ImageSpace<T, S>& space) {
  LossSums sums;
  sums.losses.assign(static_cast<size_t>(draws.steps), 0.0);
  sums.energies.assign(static_cast<size_t>(draws.steps), 0.0);
  sums.count = space.images;
  ChunkPass<T, S>{model,  rows.images.slice(first, space.images),
                  first,  rows.inverse_image_count,
                  draws,  observe,
                  learns, space,
                  sums}
      .run();
  return sums;
}

#define EBT_INSTANTIATE(T, S)                                                            \
  template struct ImageSpace<T, S>;                                                      \
  template LossSums image_pass(const ImageEbtParts<T, S>&, const ImageRows<T>&, int64_t, \
                               const ImageDraws<T>&, const ImageStepObserver<T>&, bool,  \
                               ImageSpace<T, S>&);
EBT_INSTANTIATE(float, float)
EBT_INSTANTIATE(float, Bfloat16)
EBT_INSTANTIATE(double, double)
#undef EBT_INSTANTIATE

}  // namespace ebt
