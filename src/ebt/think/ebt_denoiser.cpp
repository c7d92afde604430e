#include "ebt/think/ebt_denoiser.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ebt/core/bfloat16.h"
#include "ebt/kernels/elementwise.h"
#include "ebt/model/thinking_config.h"

namespace ebt {
namespace {

template <class S>
using StepOf = ThinkingStep<Patches<float, S>, ImageEnergyStream<float, S>>;

template <class S>
std::unique_ptr<StepOf<S>> lay_out(Arena& arena, const ImageModelConfig& config, int64_t images) {
  return std::make_unique<StepOf<S>>(arena, image_stack_shape(config, images), Pooling::kMean,
                                     Patches<float, S>{config, {}}, images, false, false);
}

template <class S>
size_t step_bytes(const ImageModelConfig& config, int64_t batch) {
  Arena measure;
  lay_out<S>(measure, config, batch);
  return measure.peak_bytes();
}

}  // namespace

template <class S>
EbtDenoiser<S>::EbtDenoiser(const ImageModelConfig& config, int64_t trained_timestep,
                            std::unique_ptr<ParameterLayout> layout, ParameterBlock<float> weights,
                            int64_t batch)
    : config_(config),
      trained_timestep_(trained_timestep),
      batch_(batch),
      layout_(std::move(layout)),
      weights_(std::move(weights)),
      operands_(config, image_weights<const float>(config, std::as_const(weights_))),
      condition_(config),
      arena_(step_bytes<S>(config, batch)) {
  operands_.refresh();
  condition_.forward(operands_);
}

template <class S>
typename EbtDenoiser<S>::Step& EbtDenoiser<S>::step(int64_t images) {
  EBT_CHECK(images >= 1 && images <= batch_, "denoiser: {} images are not between 1 and {}", images,
            batch_);
  if (step_images_ != images) {
    arena_.rewind();
    step_ = lay_out<S>(arena_, config_, images);
    step_images_ = images;
  }
  return *step_;
}

template <class S>
void EbtDenoiser<S>::denoise(Tensor<float> images, const DenoiseOptions& options,
                             const std::function<bool(const DenoiseStep&)>& on_step) {
  const int64_t count = images.dim(0);
  Step& s = step(count);
  const int64_t size = config_.image_size();
  const Tensor<float> state = images.reshape({count, size});
  const ImageLandscape<float, S> landscape = condition_.landscape(operands_);
  const Patches<float, S> candidates{config_, landscape.embedding()};
  const auto at = landscape.energy();
  const float alpha =
      std::max(operands_.values().step_size[0], static_cast<float>(kSmallestStepSize));
  const std::vector<float> sizes(static_cast<size_t>(count), alpha);
  const auto energies_before = std::make_unique<float[]>(static_cast<size_t>(count));
  const auto thinking = std::make_unique<bool[]>(static_cast<size_t>(count));
  std::fill_n(thinking.get(), count, true);
  const auto report = [&](int64_t step_number) {
    return !on_step ||
           on_step({step_number, images, Tensor<const bool>{thinking.get(), {count}}, s.energy,
                    s.stream.token_energies().reshape(
                        {count, config_.patch_rows(), config_.patch_columns()})});
  };
  int64_t taken = 0;
  for (; taken < options.steps; ++taken) {
    think_once(candidates, at, Tensor<const float>(state), {sizes.data(), {count}}, s);
    for (int64_t b = 0; b < count; ++b) {
      const float energy = s.energy[b];
      EBT_CHECK(std::isfinite(energy), "the energy of an image is not finite after {} steps",
                taken);
      if (taken > 0 && options.energy_tolerance > 0 &&
          static_cast<double>(energies_before[static_cast<size_t>(b)] - energy) <
              options.energy_tolerance) {
        thinking[static_cast<size_t>(b)] = false;
      }
      energies_before[static_cast<size_t>(b)] = energy;
      if (thinking[static_cast<size_t>(b)]) {
        kernels::elementwise<float>().copy(size, s.next.data + b * size, images.data + b * size);
      }
    }
    if (std::none_of(thinking.get(), thinking.get() + count, [](bool t) { return t; })) {
      break;
    }
    if (!report(taken)) {
      return;
    }
  }
  if (on_step) {
    measure_energy(candidates, at, Tensor<const float>(state), s);
    std::fill_n(thinking.get(), count, false);
    report(taken);
  }
}

template <class S>
void EbtDenoiser<S>::features(Tensor<const float> images, int64_t /*timestep*/,
                              Tensor<float> features) {
  Step& s = step(images.dim(0));
  const ImageLandscape<float, S> landscape = condition_.landscape(operands_);
  const Patches<float, S> candidates{config_, landscape.embedding()};
  measure_energy(candidates, landscape.energy(),
                 images.reshape({images.dim(0), config_.image_size()}), s);
  mean_over_patches(s.stream.features(), features);
}

template class EbtDenoiser<float>;
template class EbtDenoiser<Bfloat16>;

}  // namespace ebt
