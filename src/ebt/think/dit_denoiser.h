// Denoising by diffusion: ImageDenoiser of DiT.
#pragma once

#include <memory>
#include <vector>

#include "ebt/model/dit.h"
#include "ebt/model/parameters.h"
#include "ebt/think/image_denoiser.h"

namespace ebt {

template <class S>
class DitDenoiser : public ImageDenoiser {
 public:
  // Takes weights of image_model_layout(config); `batch` is the most images of a call.
  DitDenoiser(const ImageModelConfig& config, int64_t trained_timestep,
              std::unique_ptr<ParameterLayout> layout, ParameterBlock<float> weights,
              int64_t batch);

  const ImageModelConfig& config() const override { return config_; }
  int64_t batch() const override { return batch_; }
  int64_t trained_timestep() const override { return trained_timestep_; }
  void denoise(Tensor<float> images, const DenoiseOptions& options,
               const std::function<bool(const DenoiseStep&)>& on_step) override;
  void features(Tensor<const float> images, int64_t timestep, Tensor<float> features) override;

 private:
  DitPass<float, S>& pass(int64_t images);

  ImageModelConfig config_;
  int64_t trained_timestep_;
  int64_t batch_;
  NoiseSchedule schedule_;
  std::unique_ptr<ParameterLayout> layout_;
  ParameterBlock<float> weights_;
  ImageOperands<float, S> operands_;
  std::vector<float> frequencies_ = timestep_frequencies();
  Arena arena_;
  std::unique_ptr<DitPass<float, S>> pass_;
};

}  // namespace ebt
