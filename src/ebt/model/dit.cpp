#include "ebt/model/dit.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ebt/core/work_watch.h"
#include "ebt/kernels/diffusion.h"
#include "ebt/kernels/elementwise.h"
#include "ebt/kernels/modulation.h"
#include "ebt/kernels/patches.h"
#include "ebt/kernels/rng.h"
#include "ebt/kernels/sums.h"
#include "ebt/layers/linear.h"

namespace ebt {
namespace {

// How the head's outputs (n, T, P, P, 2 C) lie in images (n, 2 C, H, W).
kernels::PatchGrid output_grid(const ImageModelConfig& config, int64_t images) {
  return {images, 2 * config.channels, config.image_height, config.image_width, config.patch, true};
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
DitPass<T, S>::DitPass(Arena& arena, const ImageModelConfig& config, int64_t images, StackUse use)
    : config_(config),
      positions_(arena.take<T>({config.patches(), config.width})),
      timestep_features_(arena.take<T>({images, kTimestepFeatures})),
      hidden_(arena.take<T>({images, config.width})),
      active_(arena.take<T>(hidden_.shape)),
      condition_(arena.take<T>(hidden_.shape)),
      hidden_bar_(arena.take<T>(hidden_.shape)),
      condition_bar_(arena.take<T>(hidden_.shape)),
      modulation_(arena, config.layers, config.width, images),
      embedding_(PatchEmbedding<T>::take(arena, images * config.patches(), config.patch_size())),
      stack_(arena, image_stack_shape(config, images), use),
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
  kernels::diffusion<T>().timestep_features(images(), static_cast<int64_t>(frequencies.size()),
                                            timesteps.data, frequencies.data(),
                                            timestep_features_.data);
  Linear<T>::forward({w.time_in, w.time_in_bias}, timestep_features_, hidden_, unused);
  kernels::modulation<T>().silu(hidden_.count(), hidden_.data, active_.data);
  Linear<T>::forward({w.time_out, w.time_out_bias}, active_, condition_, unused);
  modulation_.forward(w.modulations, condition_);
  const ImageLandscape<T, S> landscape = at(weights);
  PatchEmbedding<T>::forward(landscape.embedding(), noisy, stack_.embedded(), embedding_);
  features_ = stack_.forward(landscape.stack());
  Linear<T>::forward({w.output, w.output_bias}, rows_of(features_), rows_of(patches_), unused);
  kernels::patches<T>().scatter(output_grid(config_, images()), patches_.data, false, output_.data);
  return output_;
}

template <class T, class S>
void DitPass<T, S>::vjp(const ImageOperands<T, S>& weights, Tensor<const T> output_bar,
                        const ImageWeights<T>& grads) {
  const ImageWeights<const T>& w = weights.values();
  kernels::patches<T>().gather(output_grid(config_, images()), output_bar.data, patches_.data);
  typename Linear<T>::Grads output{grads.output, grads.output_bias};
  Linear<T>::vjp({w.output, {}}, {rows_of(features_)}, rows_of(patches_), rows_of(features_bar_),
                 Write::kReplace, &output);
  const ImageLandscape<T, S> landscape = at(weights);
  auto stack_grads = landscape.stack_grads(grads);
  stack_.vjp(landscape.stack(), features_bar_, &stack_grads);
  typename PatchEmbedding<T>::Grads embedding{grads.patch, grads.patch_bias};
  PatchEmbedding<T>::vjp(landscape.embedding(), embedding_, stack_.gradient(), {}, Write::kReplace,
                         &embedding);
  kernels::elementwise<T>().fill(condition_bar_.count(), T(0), condition_bar_.data);
  modulation_.vjp(w.modulations, grads.modulations, condition_bar_);
  typename Linear<T>::Grads time_out{grads.time_out, grads.time_out_bias};
  Linear<T>::vjp({w.time_out, {}}, {active_}, condition_bar_, hidden_bar_, Write::kReplace,
                 &time_out);
  kernels::modulation<T>().silu_vjp(hidden_.count(), hidden_.data, hidden_bar_.data, false,
                                    hidden_bar_.data);
  typename Linear<T>::Grads time_in{grads.time_in, grads.time_in_bias};
  Linear<T>::vjp({w.time_in, {}}, {timestep_features_}, hidden_bar_, {}, Write::kReplace, &time_in);
}

// The pass over n images, and what training makes of them: clean images go in.
template <class T, class S>
struct Dit<T, S>::Workspace {
  DitPass<T, S> pass;
  Tensor<T> noise, noisy;     // (n, C, H, W)
  Tensor<int64_t> timesteps;  // (n)
  Tensor<T> mse, vb;          // (n)

  Workspace(Arena& arena, const ImageModelConfig& config, int64_t n, bool training)
      : pass(arena, config, n, training ? StackUse::kGradient : StackUse::kForward),
        noise(arena.take<T>({n, config.channels, config.image_height, config.image_width})),
        noisy(arena.take<T>(noise.shape)),
        timesteps(arena.take<int64_t>({n})),
        mse(arena.take<T>({n})),
        vb(arena.take<T>({n})) {}
};

template <class T, class S>
Dit<T, S>::Dit(const ImageModelConfig& model, int64_t rows, const EngineOptions& options)
    : Shell(model, options, workspace_bytes(model, rows, options)) {}

template <class T, class S>
Dit<T, S>::~Dit() = default;

template <class T, class S>
size_t Dit<T, S>::workspace_bytes(const ImageModelConfig& model, int64_t rows,
                                  const EngineOptions& options) {
  Arena measure;
  const Workspace space(measure, model, images_per_chunk(model, rows, options), options.training);
  return measure.peak_bytes();
}

template <class T, class S>
typename Dit<T, S>::Workspace& Dit<T, S>::workspace(int64_t images) {
  if (workspace_ == nullptr || workspace_->pass.images() != images) {
    this->arena_.rewind();
    workspace_ =
        std::make_unique<Workspace>(this->arena_, this->config(), images, this->options().training);
  }
  return *workspace_;
}

template <class T, class S>
Tensor<const T> Dit<T, S>::predict(Tensor<const T> noisy, Tensor<const int64_t> timesteps) {
  return workspace(noisy.dim(0)).pass.forward(this->operands(), frequencies_, noisy, timesteps);
}

template <class T, class S>
void Dit<T, S>::add_gradients(Tensor<const T> output_bar) {
  workspace_->pass.vjp(this->operands(), output_bar, this->gradients_by_role());
}

template <class T, class S>
void Dit<T, S>::train_from(const DiffusionBatch<T>& batch, double inverse_image_count,
                           Tensor<T> mse, Tensor<T> vb) {
  DitPass<T, S>& network = workspace(batch.clean.dim(0)).pass;
  const Tensor<T> output =
      network.forward(this->operands(), frequencies_, batch.noisy, batch.timesteps);
  diffusion_loss<T>(schedule_, batch, output, static_cast<T>(inverse_image_count), mse, vb, output);
  network.vjp(this->operands(), output, this->gradients_by_role());
}

template <class T, class S>
LossSums Dit<T, S>::run(const ImageRows<T>& rows, uint64_t seed, uint64_t step, bool learns) {
  const int64_t count = rows.images.dim(0);
  const int64_t size = this->config().image_size();
  const RandomStream noise{seed, RandomPurpose::kInitialPrediction, step};
  const RandomStream steps{seed, RandomPurpose::kStepCount, step};
  LossSums sums;
  sums.losses.assign(1, 0.0);
  sums.count = count;
  const int64_t most = images_per_chunk(this->config(), count, this->options());
  for (int64_t first = 0; first < count; first += most) {
    const int64_t n = std::min(most, count - first);
    const Workspace& space = workspace(n);
    const int64_t place = rows.first_row + first;
    noise.normal(static_cast<uint64_t>(place * size), space.noise, T(1));
    for (int64_t b = 0; b < n; ++b) {
      space.timesteps[b] = static_cast<int64_t>(
          steps.below(static_cast<uint64_t>(schedule_.steps()), static_cast<uint64_t>(place + b)));
    }
    const DiffusionBatch<T> batch{rows.images.slice(first, n), space.noise, space.noisy,
                                  space.timesteps};
    add_noise<T>(schedule_, batch, space.noisy);
    if (learns) {
      train_from(batch, rows.inverse_image_count, space.mse, space.vb);
    } else {
      diffusion_loss<T>(schedule_, batch, predict(space.noisy, space.timesteps), T(0), space.mse,
                        space.vb, {});
    }
    double mse = 0;
    double vb = 0;
    kernels::sums<T>().sum(n, space.mse.data, &mse);
    kernels::sums<T>().sum(n, space.vb.data, &vb);
    sums.losses[0] += mse;
    sums.objective += mse + vb;
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
