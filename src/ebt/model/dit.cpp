#include "ebt/model/dit.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "ebt/core/work_watch.h"
#include "ebt/kernels/rng.h"
#include "ebt/layers/linear.h"
#include "ebt/model/silu.h"

namespace ebt {
namespace {

// Cosines and then sines of t.
template <class T>
void timestep_features(Tensor<const int64_t> timesteps, const std::vector<float>& frequencies,
                       Tensor<T> features) {
  const auto count = static_cast<int64_t>(frequencies.size());
  for (int64_t b = 0; b < timesteps.count(); ++b) {
    for (int64_t i = 0; i < count; ++i) {
      const T angle =
          static_cast<T>(timesteps[b]) * static_cast<T>(frequencies[static_cast<size_t>(i)]);
      T* out = features.data + 2 * b * count + i;
      out[0] = std::cos(angle);
      out[count] = std::sin(angle);
    }
  }
}

// Moves values between patches (n, T, P, P, 2 C) and images (n, 2 C, H, W): calls body(offset in
// the patches, offset in the images).
template <class Body>
void for_pixels(const ImageModelConfig& config, int64_t images, Body&& body) {
  const int64_t channels = 2 * config.channels;
  const int64_t side = config.patch;
#pragma omp parallel for schedule(static)
  for (int64_t token = 0; token < images * config.patches(); ++token) {
    const int64_t b = token / config.patches();
    const int64_t top = token % config.patches() / config.patch_columns() * side;
    const int64_t left = token % config.patch_columns() * side;
    for (int64_t i = 0; i < side; ++i) {
      for (int64_t j = 0; j < side; ++j) {
        for (int64_t c = 0; c < channels; ++c) {
          body(
              ((token * side + i) * side + j) * channels + c,
              ((b * channels + c) * config.image_height + top + i) * config.image_width + left + j);
        }
      }
    }
  }
}

template <class T>
Tensor<T> rows_of(Tensor<T> x) {
  return x.reshape({x.dim(0) * x.dim(1), x.dim(2)});
}

}  // namespace

std::vector<float> timestep_frequencies() {
  constexpr int64_t kCount = kTimestepFeatures / 2;
  std::vector<float> frequencies;
  for (int64_t i = 0; i < kCount; ++i) {
    frequencies.push_back(std::exp(-std::log(10000.0F) * static_cast<float>(i) / kCount));
  }
  return frequencies;
}

template <class T, class S>
DitPass<T, S>::DitPass(Arena& arena, const ImageModelConfig& config, int64_t images, TrunkUse use)
    : config_(config),
      positions_(arena.take<T>({config.patches(), config.width})),
      timestep_features_(arena.take<T>({images, kTimestepFeatures})),
      hidden_(arena.take<T>({images, config.width})),
      active_(arena.take<T>(hidden_.shape)),
      condition_(arena.take<T>(hidden_.shape)),
      hidden_bar_(arena.take<T>(hidden_.shape)),
      condition_bar_(arena.take<T>(hidden_.shape)),
      modulation_(arena, config.layers, config.width, images),
      trunk_(arena, config, images, use),
      patches_(arena.take<T>({images, config.patches(), 2 * config.patch_size()})),
      output_(
          arena.take<T>({images, 2 * config.channels, config.image_height, config.image_width})),
      features_bar_(arena.take<T>({images, config.patches(), config.width})) {
  if (positions_) {  // not while memory is only measured
    image_positions(config.patch_rows(), config.patch_columns(), positions_);
  }
}

template <class T, class S>
Tensor<T> DitPass<T, S>::forward(const ImageOperands<T, S>& weights,
                                 const std::vector<float>& frequencies, Tensor<const T> noisy,
                                 Tensor<const int64_t> timesteps) {
  const ImageWeights<const T>& w = weights.values();
  typename Linear<T>::Saved unused;
  timestep_features(timesteps, frequencies, timestep_features_);
  Linear<T>::forward({w.time_in, w.time_in_bias}, timestep_features_, hidden_, unused);
  std::transform(hidden_.begin(), hidden_.end(), active_.begin(), silu<T>);
  Linear<T>::forward({w.time_out, w.time_out_bias}, active_, condition_, unused);
  modulation_.forward(w.modulations, condition_);
  features_ = trunk_.forward(at(weights), noisy);
  Linear<T>::forward({w.output, w.output_bias}, rows_of(features_), rows_of(patches_), unused);
  for_pixels(config_, images(),
             [&](int64_t patch, int64_t pixel) { output_.data[pixel] = patches_.data[patch]; });
  return output_;
}

template <class T, class S>
void DitPass<T, S>::vjp(const ImageOperands<T, S>& weights, Tensor<const T> output_bar,
                        const ImageWeights<T>& grads) {
  const ImageWeights<const T>& w = weights.values();
  for_pixels(config_, images(),
             [&](int64_t patch, int64_t pixel) { patches_.data[patch] = output_bar.data[pixel]; });
  typename Linear<T>::Grads output{grads.output, grads.output_bias};
  Linear<T>::vjp({w.output, {}}, {rows_of(features_)}, rows_of(patches_), rows_of(features_bar_),
                 Write::kReplace, &output);
  trunk_.vjp(at(weights), features_bar_, {}, &grads);
  std::fill(condition_bar_.begin(), condition_bar_.end(), T(0));
  modulation_.vjp(w.modulations, grads.modulations, condition_bar_);
  typename Linear<T>::Grads time_out{grads.time_out, grads.time_out_bias};
  Linear<T>::vjp({w.time_out, {}}, {active_}, condition_bar_, hidden_bar_, Write::kReplace,
                 &time_out);
  for (int64_t i = 0; i < hidden_.count(); ++i) {
    hidden_bar_[i] *= silu_slope(hidden_[i]);
  }
  typename Linear<T>::Grads time_in{grads.time_in, grads.time_in_bias};
  Linear<T>::vjp({w.time_in, {}}, {timestep_features_}, hidden_bar_, {}, Write::kReplace, &time_in);
}

template <class T, class S>
Dit<T, S>::Dit(const ImageModelConfig& model, int64_t rows, const EngineOptions& options)
    : config_(model),
      options_(options),
      layout_(image_model_layout(model)),
      weights_(layout_),
      gradients_(options.training ? ParameterBlock<T>(layout_) : ParameterBlock<T>()),
      gradient_views_(options.training ? image_weights<T>(model, gradients_) : ImageWeights<T>{}),
      operands_(image_weights<const T>(model, std::as_const(weights_))),
      arena_(workspace_bytes(model, rows, options)) {}

namespace {

// What a chunk needs beside the pass: clean images go in, noise and noisy images are made.
template <class T>
struct NoisyChunk {
  Tensor<T> noise, noisy;     // (n, C, H, W)
  Tensor<int64_t> timesteps;  // (n)
  Tensor<T> mse, vb;          // (n)

  NoisyChunk(Arena& arena, const ImageModelConfig& config, int64_t n)
      : noise(arena.take<T>({n, config.channels, config.image_height, config.image_width})),
        noisy(arena.take<T>(noise.shape)),
        timesteps(arena.take<int64_t>({n})),
        mse(arena.take<T>({n})),
        vb(arena.take<T>({n})) {}
};

TrunkUse use_of(const EngineOptions& options) {
  return options.training ? TrunkUse::kGradient : TrunkUse::kForward;
}

}  // namespace

template <class T, class S>
size_t Dit<T, S>::workspace_bytes(const ImageModelConfig& model, int64_t rows,
                                  const EngineOptions& options) {
  Arena measure;
  const int64_t images = images_per_chunk(model, rows, options);
  const DitPass<T, S> pass(measure, model, images, use_of(options));
  const NoisyChunk<T> chunk(measure, model, images);
  return measure.peak_bytes();
}

template <class T, class S>
DitPass<T, S>& Dit<T, S>::pass(int64_t images) {
  if (copies_are_stale_) {
    operands_.refresh();
    copies_are_stale_ = false;
  }
  if (pass_ == nullptr || pass_->images() != images) {
    arena_.rewind();
    pass_ = std::make_unique<DitPass<T, S>>(arena_, config_, images, use_of(options_));
  }
  return *pass_;
}

template <class T, class S>
Tensor<const T> Dit<T, S>::predict(Tensor<const T> noisy, Tensor<const int64_t> timesteps) {
  return pass(noisy.dim(0)).forward(operands_, frequencies_, noisy, timesteps);
}

template <class T, class S>
void Dit<T, S>::add_gradients(Tensor<const T> output_bar) {
  pass_->vjp(operands_, output_bar, gradient_views_);
}

template <class T, class S>
void Dit<T, S>::train_from(const DiffusionBatch<T>& batch, double inverse_image_count,
                           Tensor<T> mse, Tensor<T> vb) {
  DitPass<T, S>& network = pass(batch.clean.dim(0));
  const Tensor<T> output = network.forward(operands_, frequencies_, batch.noisy, batch.timesteps);
  diffusion_loss<T>(schedule_, batch, output, static_cast<T>(inverse_image_count), mse, vb, output);
  network.vjp(operands_, output, gradient_views_);
}

template <class T, class S>
LossSums Dit<T, S>::run(const ImageRows<T>& rows, uint64_t seed, uint64_t step, bool learns) {
  const int64_t count = rows.images.dim(0);
  const int64_t size = config_.image_size();
  const RandomStream noise{seed, RandomPurpose::kInitialPrediction, step};
  const RandomStream steps{seed, RandomPurpose::kStepCount, step};
  LossSums sums;
  sums.losses.assign(1, 0.0);
  sums.count = count;
  const int64_t most = images_per_chunk(config_, count, options_);
  for (int64_t first = 0; first < count; first += most) {
    const int64_t n = std::min(most, count - first);
    DitPass<T, S>& network = pass(n);
    // The chunk lies behind the pass, whose layout is the same for the same n.
    const size_t used = arena_.used_bytes();
    const NoisyChunk<T> chunk(arena_, config_, n);
    arena_.rewind(used);
    const Tensor<const T> clean = rows.images.slice(first, n);
    const int64_t place = rows.first_row + first;
    noise.normal(static_cast<uint64_t>(place * size), chunk.noise, T(1));
    for (int64_t b = 0; b < n; ++b) {
      const auto t = static_cast<int64_t>(
          steps.below(static_cast<uint64_t>(schedule_.steps()), static_cast<uint64_t>(place + b)));
      chunk.timesteps[b] = t;
      const auto signal = static_cast<T>(schedule_.signal(t));
      const auto spread = static_cast<T>(schedule_.noise(t));
      for (int64_t i = b * size; i < (b + 1) * size; ++i) {
        chunk.noisy[i] = signal * clean[i] + spread * chunk.noise[i];
      }
    }
    const DiffusionBatch<T> batch{clean, chunk.noise, chunk.noisy, chunk.timesteps};
    if (learns) {
      train_from(batch, rows.inverse_image_count, chunk.mse, chunk.vb);
    } else {
      diffusion_loss<T>(schedule_, batch,
                        network.forward(operands_, frequencies_, chunk.noisy, chunk.timesteps),
                        T(0), chunk.mse, chunk.vb, {});
    }
    for (int64_t b = 0; b < n; ++b) {
      sums.losses[0] += static_cast<double>(chunk.mse[b]);
      sums.objective += static_cast<double>(chunk.mse[b]) + static_cast<double>(chunk.vb[b]);
    }
    tell_share(static_cast<double>(first + n) / static_cast<double>(count));
  }
  return sums;
}

template <class T, class S>
LossSums Dit<T, S>::train(const ImageRows<T>& rows, uint64_t seed, uint64_t training_step) {
  return run(rows, seed, training_step, true);
}

template <class T, class S>
LossSums Dit<T, S>::evaluate(const ImageRows<T>& rows, uint64_t seed) {
  return run(rows, seed, 0, false);
}

#define EBT_INSTANTIATE(T, S)   \
  template class DitPass<T, S>; \
  template class Dit<T, S>;
EBT_INSTANTIATE(float, float)
EBT_INSTANTIATE(float, Bfloat16)
EBT_INSTANTIATE(double, double)
#undef EBT_INSTANTIATE

}  // namespace ebt
