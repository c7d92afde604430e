// A denoiser whose result is known, for tests of what stands around one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "ebt/think/image_denoiser.h"

namespace ebt::testing {

// Every step takes a pixel half of the way to the mean of its image's channel; the energy of a
// patch is the mean squared distance from there of its pixels, so that a step divides it by four.
// As DiT, the same without energies. Features are the first D pixels; as DiT, the last is the
// timestep.
class ScriptedDenoiser : public ImageDenoiser {
 public:
  ScriptedDenoiser(const ImageModelConfig& config, int64_t batch)
      : config_(config), batch_(batch) {}

  const ImageModelConfig& config() const override { return config_; }
  int64_t batch() const override { return batch_; }
  int64_t trained_timestep() const override { return 99; }
  int64_t images_seen() const { return images_seen_; }
  int64_t most_at_once() const { return most_at_once_; }

  void denoise(Tensor<float> images, const DenoiseOptions& options,
               const std::function<bool(const DenoiseStep&)>& on_step) override {
    EBT_CHECK(images.dim(0) <= batch_, "{} images, more than {}", images.dim(0), batch_);
    images_seen_ += images.dim(0);
    most_at_once_ = std::max(most_at_once_, images.dim(0));
    const auto count = static_cast<size_t>(images.dim(0));
    const bool thinks = config_.arch == ImageArchitecture::kEbt;
    const auto thinking = std::make_unique<bool[]>(count);
    std::fill_n(thinking.get(), count, true);
    std::vector<float> before = energies(images);
    int64_t step = 0;
    for (; step < options.steps; ++step) {
      for (int64_t i = 0; i < images.dim(0); ++i) {
        if (thinking[static_cast<size_t>(i)]) {
          shrink(images.slice(i, 1));
        }
      }
      if (!tell(on_step, step, images, thinking.get(), before)) {
        return;
      }
      const std::vector<float> after = energies(images);
      bool any = false;
      for (size_t i = 0; i < count; ++i) {
        const bool converged = thinks && options.energy_tolerance > 0 &&
                               mean_of(before, i) - mean_of(after, i) < options.energy_tolerance;
        thinking[i] = thinking[i] && !converged;
        any = any || thinking[i];
      }
      before = after;
      if (!any) {
        ++step;
        break;
      }
    }
    if (thinks) {
      std::fill_n(thinking.get(), count, false);
      tell(on_step, step, images, thinking.get(), before);
    }
  }

  void features(Tensor<const float> images, int64_t timestep, Tensor<float> features) override {
    for (int64_t i = 0; i < images.dim(0); ++i) {
      for (int64_t k = 0; k < config_.width; ++k) {
        features[i * config_.width + k] = images[i * config_.image_size() + k];
      }
      if (config_.arch == ImageArchitecture::kDit) {
        features[(i + 1) * config_.width - 1] = static_cast<float>(timestep);
      }
    }
  }

 private:
  float channel_mean(const float* plane) const {
    double sum = 0;
    for (int64_t i = 0; i < plane_size(); ++i) {
      sum += static_cast<double>(plane[i]);
    }
    return static_cast<float>(sum / static_cast<double>(plane_size()));
  }
  int64_t plane_size() const { return config_.image_height * config_.image_width; }

  void shrink(Tensor<float> image) const {
    for (int64_t channel = 0; channel < config_.channels; ++channel) {
      float* plane = image.data + channel * plane_size();
      const float mean = channel_mean(plane);
      for (int64_t i = 0; i < plane_size(); ++i) {
        plane[i] += (mean - plane[i]) / 2;
      }
    }
  }

  // (B, patches)
  std::vector<float> energies(Tensor<const float> images) const {
    std::vector<float> result(static_cast<size_t>(images.dim(0) * config_.patches()));
    for (int64_t i = 0; i < images.dim(0) * config_.channels; ++i) {
      const float* plane = images.data + i * plane_size();
      const float mean = channel_mean(plane);
      for (int64_t y = 0; y < config_.image_height; ++y) {
        for (int64_t x = 0; x < config_.image_width; ++x) {
          const int64_t patch = i / config_.channels * config_.patches() +
                                y / config_.patch * config_.patch_columns() + x / config_.patch;
          const float distance = plane[y * config_.image_width + x] - mean;
          result[static_cast<size_t>(patch)] +=
              distance * distance / static_cast<float>(config_.patch_size());
        }
      }
    }
    return result;
  }
  double mean_of(const std::vector<float>& energy, size_t image) const {
    double sum = 0;
    for (int64_t i = 0; i < config_.patches(); ++i) {
      sum += static_cast<double>(
          energy[image * static_cast<size_t>(config_.patches()) + static_cast<size_t>(i)]);
    }
    return sum / static_cast<double>(config_.patches());
  }

  bool tell(const std::function<bool(const DenoiseStep&)>& on_step, int64_t number,
            Tensor<float> images, const bool* thinking, std::vector<float>& patch_energy) const {
    if (!on_step) {
      return true;
    }
    DenoiseStep step;
    step.step = number;
    step.images = images;
    step.thinking = {thinking, {images.dim(0)}};
    std::vector<float> energy;
    for (size_t i = 0; i < static_cast<size_t>(images.dim(0)); ++i) {
      energy.push_back(static_cast<float>(mean_of(patch_energy, i)));
    }
    if (config_.arch == ImageArchitecture::kEbt) {
      step.energy = {energy.data(), {images.dim(0)}};
      step.patch_energy = {patch_energy.data(),
                           {images.dim(0), config_.patch_rows(), config_.patch_columns()}};
    }
    return on_step(step);
  }

  ImageModelConfig config_;
  int64_t batch_;
  int64_t images_seen_ = 0;
  int64_t most_at_once_ = 0;
};

}  // namespace ebt::testing
