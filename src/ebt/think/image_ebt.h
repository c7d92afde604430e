// The energy-based transformer for images, which takes noise out of them by thinking.
#pragma once

#include <memory>
#include <vector>

#include "ebt/layers/noise_schedule.h"
#include "ebt/think/image_pass.h"

namespace ebt {

template <class T, class S = T>
class ImageEbt : public ImageModel<T> {
 public:
  // Workspace for at most `rows` images. Throws Error for an impossible configuration.
  ImageEbt(const ImageModelConfig& model, const ImageThinkingConfig& thinking,
           const ImageTrainingNoise& noise, int64_t rows, const EngineOptions& options);
  // Bytes of that workspace.
  static size_t workspace_bytes(const ImageModelConfig& model, const ImageThinkingConfig& thinking,
                                int64_t rows, const EngineOptions& options);

  const ImageModelConfig& config() const override { return config_; }
  const ParameterLayout& layout() const override { return layout_; }
  ParameterBlock<T>& weights() override {
    copies_are_stale_ = true;
    return weights_;
  }
  ParameterBlock<T>& gradients() override { return gradients_; }
  LossSums train(const ImageRows<T>& rows, uint64_t seed, uint64_t training_step) override;
  LossSums evaluate(const ImageRows<T>& rows, uint64_t seed) override;

  // train, from given draws.
  LossSums train_from(const ImageRows<T>& rows, const ImageDraws<T>& draws,
                      const ImageStepObserver<T>& observe) {
    return run(rows, draws, observe, true);
  }

 private:
  ImageDraws<T> draws_of(const ImageRows<T>& rows, uint64_t seed, uint64_t step) const;
  LossSums run(const ImageRows<T>& rows, const ImageDraws<T>& draws,
               const ImageStepObserver<T>& observe, bool learns);
  // Buffers for chunks of n images.
  ImageSpace<T, S>& space(int64_t n, bool training);

  ImageModelConfig config_;
  ImageThinkingConfig thinking_;
  ImageTrainingNoise noise_;
  NoiseSchedule schedule_;
  EngineOptions options_;
  ParameterLayout layout_;
  ParameterBlock<T> weights_;
  ParameterBlock<T> gradients_;
  ImageWeights<T> gradient_views_;
  ImageOperands<T, S> operands_;
  bool copies_are_stale_ = true;
  Arena fixed_;  // what does not depend on the shape of work
  Modulation<T> modulation_;
  Tensor<T> positions_;
  Arena arena_;
  std::unique_ptr<ImageSpace<T, S>> space_;
  bool space_trains_ = false;
};

}  // namespace ebt
