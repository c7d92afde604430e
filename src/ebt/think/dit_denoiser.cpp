#include "ebt/think/dit_denoiser.h"

#include <algorithm>
#include <utility>

#include "ebt/core/bfloat16.h"
#include "ebt/think/ddim.h"

namespace ebt {
namespace {

template <class S>
size_t pass_bytes(const ImageModelConfig& config, int64_t batch) {
  Arena measure;
  const DitPass<float, S> pass(measure, config, batch, StackUse::kForward);
  return measure.peak_bytes();
}

}  // namespace

template <class S>
DitDenoiser<S>::DitDenoiser(const ImageModelConfig& config, int64_t trained_timestep,
                            std::unique_ptr<ParameterLayout> layout, ParameterBlock<float> weights,
                            int64_t batch)
    : config_(config),
      trained_timestep_(trained_timestep),
      batch_(batch),
      layout_(std::move(layout)),
      weights_(std::move(weights)),
      operands_(config, image_weights<const float>(config, std::as_const(weights_))),
      arena_(pass_bytes<S>(config, batch)) {
  operands_.refresh();
}

template <class S>
DitPass<float, S>& DitDenoiser<S>::pass(int64_t images) {
  EBT_CHECK(images >= 1 && images <= batch_, "denoiser: {} images are not between 1 and {}", images,
            batch_);
  if (pass_ == nullptr || pass_->images() != images) {
    arena_.rewind();
    pass_ = std::make_unique<DitPass<float, S>>(arena_, config_, images, StackUse::kForward);
  }
  return *pass_;
}

template <class S>
void DitDenoiser<S>::denoise(Tensor<float> images, const DenoiseOptions& options,
                             const std::function<bool(const DenoiseStep&)>& on_step) {
  const int64_t count = images.dim(0);
  DitPass<float, S>& network = pass(count);
  const std::vector<int64_t> timesteps = ddim_timesteps(options.timestep, options.steps);
  const auto thinking = std::make_unique<bool[]>(static_cast<size_t>(count));
  std::fill_n(thinking.get(), count, true);
  for (size_t i = 0; i < timesteps.size(); ++i) {
    const std::vector<int64_t> all(static_cast<size_t>(count), timesteps[i]);
    const Tensor<const float> output =
        network.forward(operands_, frequencies_, images, {all.data(), {count}});
    ddim_step<float>(schedule_, timesteps[i], i + 1 < timesteps.size() ? timesteps[i + 1] : -1,
                     output, images);
    if (on_step && !on_step({static_cast<int64_t>(i),
                             images,
                             Tensor<const bool>{thinking.get(), {count}},
                             {},
                             {}})) {
      return;
    }
  }
}

template <class S>
void DitDenoiser<S>::features(Tensor<const float> images, int64_t timestep,
                              Tensor<float> features) {
  DitPass<float, S>& network = pass(images.dim(0));
  const std::vector<int64_t> all(static_cast<size_t>(images.dim(0)), timestep);
  network.forward(operands_, frequencies_, images, {all.data(), {images.dim(0)}});
  mean_over_patches(network.features(), features);
}

template class DitDenoiser<float>;
template class DitDenoiser<Bfloat16>;

}  // namespace ebt
