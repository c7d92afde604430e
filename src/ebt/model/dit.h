// The diffusion transformer (Peebles and Xie, 2023) that image EBTs are compared with: from noisy
// images and their timesteps to the noise, and to where the variance of a step back lies between
// its bounds.
#pragma once

#include <memory>
#include <vector>

#include "ebt/layers/diffusion.h"
#include "ebt/layers/noise_schedule.h"
#include "ebt/model/image_landscape.h"
#include "ebt/model/image_model.h"

namespace ebt {

// The frequencies (kTimestepFeatures / 2) by which a timestep becomes features, from 1 down to
// nearly 1 / 10000: a float32 table, as published. Its last bits are those of this machine's
// exponential function.
std::vector<float> timestep_frequencies();

// A pass of the network over n images.
template <class T, class S>
class DitPass {
 public:
  DitPass(Arena& arena, const ImageModelConfig& config, int64_t images, StackUse use);

  // Output (n, 2 C, H, W) of noisy images (n, C, H, W) at their timesteps (n), which become
  // features by `frequencies`.
  Tensor<T> forward(const ImageOperands<T, S>& weights, const std::vector<float>& frequencies,
                    Tensor<const T> noisy, Tensor<const int64_t> timesteps);
  // Adds the gradients of all weights; the output's memory may hold output_bar.
  void vjp(const ImageOperands<T, S>& weights, Tensor<const T> output_bar,
           const ImageWeights<T>& grads);
  // Features (n, T, D) of the last forward pass.
  Tensor<const T> features() const { return features_; }
  int64_t images() const { return timestep_features_.dim(0); }

 private:
  ImageLandscape<T, S> at(const ImageOperands<T, S>& weights) const {
    return {config_, weights, modulation_, positions_};
  }

  ImageModelConfig config_;
  Tensor<T> positions_;          // (T, D)
  Tensor<T> timestep_features_;  // (n, kTimestepFeatures)
  Tensor<T> hidden_, active_;    // (n, D): before and after the SiLU
  Tensor<T> condition_;          // (n, D)
  Tensor<T> hidden_bar_, condition_bar_;
  Modulation<T> modulation_;
  typename PatchEmbedding<T>::Saved embedding_;
  ImageStack<T, S> stack_;
  Tensor<const T> features_;
  Tensor<T> patches_;  // (n, T, 2 C P P)
  Tensor<T> output_;   // (n, 2 C, H, W)
  Tensor<T> features_bar_;
};

template <class T, class S = T>
class Dit : public ModelShell<T, S, ImageModel<T>> {
  using Shell = ModelShell<T, S, ImageModel<T>>;

 public:
  // Workspace for at most `rows` images. Throws Error for an impossible configuration.
  Dit(const ImageModelConfig& model, int64_t rows, const EngineOptions& options);
  ~Dit() override;
  // Bytes of that workspace.
  static size_t workspace_bytes(const ImageModelConfig& model, int64_t rows,
                                const EngineOptions& options);

  // To replace by the table of another machine, before the first pass.
  std::vector<float>& frequencies() { return frequencies_; }
  LossSums train(const ImageRows<T>& rows, uint64_t seed, uint64_t training_step) override;
  LossSums evaluate(const ImageRows<T>& rows, uint64_t seed) override;

  // The losses of the batch, whose images are those of `rows`, and their gradients: mse (B) and vb
  // (B) are written.
  void train_from(const DiffusionBatch<T>& batch, double inverse_image_count, Tensor<T> mse,
                  Tensor<T> vb);
  // The output (B, 2 C, H, W) for noisy images, valid until the next call. B may not be more than
  // the workspace fits.
  Tensor<const T> predict(Tensor<const T> noisy, Tensor<const int64_t> timesteps);
  // Adds the gradients of <output_bar, output> of the last prediction of a model that trains.
  void add_gradients(Tensor<const T> output_bar);

 private:
  LossSums run(const ImageRows<T>& rows, uint64_t seed, uint64_t step, bool learns);
  struct Workspace;
  Workspace& workspace(int64_t images);

  NoiseSchedule schedule_;
  std::vector<float> frequencies_ = timestep_frequencies();
  std::unique_ptr<Workspace> workspace_;
};

}  // namespace ebt
