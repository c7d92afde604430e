// The energy-based transformer for images, which takes noise out of them by thinking: patches under
// bidirectional attention, one energy for an image, the mean over its patches.
#pragma once

#include <memory>

#include "ebt/layers/noise_schedule.h"
#include "ebt/model/image_landscape.h"
#include "ebt/model/image_model.h"
#include "ebt/think/thinking_pass.h"
#include "ebt/think/vectors.h"

namespace ebt {

template <class T, class S = T>
class ImageEbt : public ModelShell<T, S, ImageModel<T>> {
  using Shell = ModelShell<T, S, ImageModel<T>>;
  using Buffers = PassBuffers<Patches<T, S>, ImageEnergyStream<T, S>>;
  struct Workspace;

 public:
  // Workspace for at most `rows` images. Throws Error for an impossible configuration.
  ImageEbt(const ImageModelConfig& model, const ImageThinkingConfig& thinking,
           const ImageTrainingNoise& noise, int64_t rows, const EngineOptions& options);
  ~ImageEbt() override;
  // Bytes of that workspace.
  static size_t workspace_bytes(const ImageModelConfig& model, const ImageThinkingConfig& thinking,
                                int64_t rows, const EngineOptions& options);

  LossSums train(const ImageRows<T>& rows, uint64_t seed, uint64_t training_step) override;
  LossSums evaluate(const ImageRows<T>& rows, uint64_t seed) override;

  // train, from given draws: of where thinking starts, the noisy images. `observe` may be empty.
  LossSums train_from(const ImageRows<T>& rows, const ThinkingDraws<T>& draws,
                      const StepObserver<T>& observe) {
    return run(rows, draws, observe, true);
  }

 private:
  LossSums run(const ImageRows<T>& rows, const ThinkingDraws<T>& draws,
               const StepObserver<T>& observe, bool learns);
  // Where thinking about the rows starts.
  std::function<void(int64_t first, Tensor<T>)> noisy_images(const ImageRows<T>& rows,
                                                             const DrawAddress& address) const;
  DrawAddress address_of(const ImageRows<T>& rows, uint64_t seed, uint64_t step) const {
    return {seed, step, rows.first_row, this->config().image_size()};
  }
  // Buffers for chunks of n images.
  Workspace& prepare(int64_t n, bool training);

  ImageThinkingConfig thinking_;
  ImageTrainingNoise noise_;
  NoiseSchedule schedule_;
  ImageCondition<T, S> condition_;
  std::unique_ptr<Workspace> workspace_;
};

}  // namespace ebt
