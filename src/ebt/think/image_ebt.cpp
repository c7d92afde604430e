#include "ebt/think/image_ebt.h"

#include <algorithm>
#include <utility>

#include "ebt/core/work_watch.h"
#include "ebt/kernels/elementwise.h"
#include "ebt/kernels/rng.h"

namespace ebt {
namespace {

// Thinking steps have streams of their own: more than ImageThinkingConfig admits.
constexpr uint64_t kStepsPerTrainingStep = 1'000'000;

// Bytes of the modulation and the table of positions.
template <class T>
size_t fixed_bytes(const ImageModelConfig& model) {
  Arena measure;
  const Modulation<T> modulation(measure, model.layers, model.width, 1);
  measure.take<T>({model.patches(), model.width});
  return measure.peak_bytes();
}

}  // namespace

template <class T, class S>
ImageEbt<T, S>::ImageEbt(const ImageModelConfig& model, const ImageThinkingConfig& thinking,
                         const ImageTrainingNoise& noise, int64_t rows,
                         const EngineOptions& options)
    : config_(model),
      thinking_(thinking),
      noise_(noise),
      options_(options),
      layout_(image_model_layout(model)),
      weights_(layout_),
      gradients_(options.training ? ParameterBlock<T>(layout_) : ParameterBlock<T>()),
      gradient_views_(options.training ? image_weights<T>(model, gradients_) : ImageWeights<T>{}),
      operands_(image_weights<const T>(model, std::as_const(weights_))),
      fixed_(fixed_bytes<T>(model)),
      modulation_(fixed_, model.layers, model.width, 1),
      positions_(fixed_.take<T>({model.patches(), model.width})),
      arena_(workspace_bytes(model, thinking, rows, options)) {
  image_positions(model.patch_rows(), model.patch_columns(), positions_);
}

template <class T, class S>
size_t ImageEbt<T, S>::workspace_bytes(const ImageModelConfig& model,
                                       const ImageThinkingConfig& thinking, int64_t rows,
                                       const EngineOptions& options) {
  Arena measure;
  const ImageSpace<T, S> space(measure, model, thinking, images_per_chunk(model, rows, options),
                               options.training);
  return measure.peak_bytes();
}

template <class T, class S>
ImageSpace<T, S>& ImageEbt<T, S>::space(int64_t n, bool training) {
  if (space_ == nullptr || space_->images != n || space_trains_ != training) {
    arena_.rewind();
    space_ = std::make_unique<ImageSpace<T, S>>(arena_, config_, thinking_, n, training);
    space_trains_ = training;
  }
  return *space_;
}

template <class T, class S>
LossSums ImageEbt<T, S>::run(const ImageRows<T>& rows, const ImageDraws<T>& draws,
                             const ImageStepObserver<T>& observe, bool learns) {
  if (copies_are_stale_) {
    operands_.refresh();
    copies_are_stale_ = false;
  }
  const ImageWeights<const T>& weights = operands_.values();
  modulation_.forward(weights.modulations, weights.condition);
  const ImageLandscape<T, S> at{operands_, modulation_, positions_};
  const ImageEbtParts<T, S> parts{config_, thinking_, at, gradient_views_};
  const int64_t count = rows.images.dim(0);
  const int64_t chunk = images_per_chunk(config_, count, options_);
  LossSums sums;
  for (int64_t first = 0; first < count; first += chunk) {
    const int64_t n = std::min(chunk, count - first);
    sums.add(image_pass(parts, rows, first, draws, observe, learns, space(n, learns)));
    tell_share(static_cast<double>(first + n) / static_cast<double>(count));
  }
  if (learns) {
    modulation_.vjp(weights.modulations, gradient_views_.modulations, gradient_views_.condition);
  }
  return sums;
}

template <class T, class S>
ImageDraws<T> ImageEbt<T, S>::draws_of(const ImageRows<T>& rows, uint64_t seed,
                                       uint64_t step) const {
  const int64_t before = rows.first_row;
  const auto size = static_cast<uint64_t>(config_.image_size());
  const int64_t t = schedule_.step_of_level(noise_.level);
  const auto signal = static_cast<T>(schedule_.signal(t));
  const auto noise = static_cast<T>(schedule_.noise(t));
  ImageDraws<T> draws;
  draws.noisy = [=, images = rows.images](int64_t first, Tensor<T> out) {
    RandomStream{seed, RandomPurpose::kInitialPrediction, step}.normal(
        static_cast<uint64_t>(before + first) * size, out, noise);
    const T* clean = images.data + static_cast<uint64_t>(first) * size;
    kernels::elementwise<T>().add(out.count(), signal, clean, out.data);
  };
  draws.langevin = [=](int64_t thinking_step, int64_t first, Tensor<T> out) {
    const uint64_t stream = step * kStepsPerTrainingStep + static_cast<uint64_t>(thinking_step);
    RandomStream{seed, RandomPurpose::kLangevin, stream}.normal(
        static_cast<uint64_t>(before + first) * size, out, T(1));
  };
  draws.step_size = [=](int64_t first, Tensor<T> out) {
    RandomStream{seed, RandomPurpose::kStepSize, step}.uniform(
        static_cast<uint64_t>(before + first), out);
  };
  const auto choices = static_cast<uint64_t>(thinking_.steps_max - thinking_.steps_min + 1);
  const RandomStream counts{seed, RandomPurpose::kStepCount, step};
  draws.steps = thinking_.steps_min + static_cast<int64_t>(counts.below(choices, 0));
  return draws;
}

template <class T, class S>
LossSums ImageEbt<T, S>::train(const ImageRows<T>& rows, uint64_t seed, uint64_t training_step) {
  return run(rows, draws_of(rows, seed, training_step), {}, true);
}

template <class T, class S>
LossSums ImageEbt<T, S>::evaluate(const ImageRows<T>& rows, uint64_t seed) {
  ImageDraws<T> draws;
  draws.noisy = draws_of(rows, seed, 0).noisy;
  draws.steps = thinking_.steps_max;
  return run(rows, draws, {}, false);
}

template class ImageEbt<float>;
template class ImageEbt<double>;
template class ImageEbt<float, Bfloat16>;

}  // namespace ebt
