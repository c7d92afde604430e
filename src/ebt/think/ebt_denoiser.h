// Denoising by thinking: ImageDenoiser of an EBT.
#pragma once

#include <memory>
#include <vector>

#include "ebt/model/image_landscape.h"
#include "ebt/think/image_denoiser.h"
#include "ebt/think/thinking_pass.h"
#include "ebt/think/vectors.h"

namespace ebt {

template <class S>
class EbtDenoiser : public ImageDenoiser {
  using Step = ThinkingStep<Patches<float, S>, ImageEnergyStream<float, S>>;

 public:
  // Takes weights of image_model_layout(config). `trained_timestep` is the noise it was trained to
  // undo, `batch` the most images of a call.
  EbtDenoiser(const ImageModelConfig& config, int64_t trained_timestep,
              std::unique_ptr<ParameterLayout> layout, ParameterBlock<float> weights,
              int64_t batch);

  const ImageModelConfig& config() const override { return config_; }
  int64_t batch() const override { return batch_; }
  int64_t trained_timestep() const override { return trained_timestep_; }
  void denoise(Tensor<float> images, const DenoiseOptions& options,
               const std::function<bool(const DenoiseStep&)>& on_step) override;
  void features(Tensor<const float> images, int64_t timestep, Tensor<float> features) override;

 private:
  Step& step(int64_t images);

  ImageModelConfig config_;
  int64_t trained_timestep_;
  int64_t batch_;
  std::unique_ptr<ParameterLayout> layout_;
  ParameterBlock<float> weights_;
  ImageOperands<float, S> operands_;
  ImageCondition<float, S> condition_;
  Arena arena_;
  std::unique_ptr<Step> step_;
  int64_t step_images_ = 0;
};

}  // namespace ebt
