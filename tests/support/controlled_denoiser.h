// A scripted denoiser that takes its time, waits, or fails, when a test says so.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <new>
#include <thread>
#include <utility>

#include "ebt/core/error.h"
#include "tests/support/scripted_denoiser.h"

namespace ebt::testing {

// What a test may change while a denoiser works.
struct DenoiserControls {
  std::atomic<bool> held{false};            // no image is begun
  std::atomic<int64_t> step_ms{0};          // pause before every step is reported
  std::atomic<bool> diverges{false};        // energies are not finite
  std::atomic<int64_t> diverges_after{-1};  // so many steps that were reported
  std::atomic<bool> memory_ends{false};
  std::atomic<int64_t> steps{0};  // reported so far
};

class ControlledDenoiser : public ScriptedDenoiser {
 public:
  ControlledDenoiser(const ImageModelConfig& config, int64_t batch,
                     std::shared_ptr<DenoiserControls> controls)
      : ScriptedDenoiser(config, batch), controls_(std::move(controls)) {}

  void denoise(Tensor<float> images, const DenoiseOptions& options,
               const std::function<bool(const DenoiseStep&)>& on_step) override {
    while (controls_->held) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EBT_CHECK(!controls_->diverges, "the energy of an image is not finite after 1 steps");
    if (controls_->memory_ends) {
      throw std::bad_alloc();
    }
    ScriptedDenoiser::denoise(images, options, [&](const DenoiseStep& step) {
      EBT_CHECK(controls_->steps != controls_->diverges_after,
                "the energy of an image is not finite after {} steps", step.step);
      std::this_thread::sleep_for(std::chrono::milliseconds(controls_->step_ms));
      ++controls_->steps;
      return on_step(step);
    });
  }

 private:
  std::shared_ptr<DenoiserControls> controls_;
};

// A model of images of 8 x 8 pixels in patches of 4, 3 channels.
inline ImageModelConfig small_image_model(ImageArchitecture arch = ImageArchitecture::kEbt) {
  ImageModelConfig config;
  config.arch = arch;
  config.image_height = config.image_width = 8;
  return config;
}

}  // namespace ebt::testing
