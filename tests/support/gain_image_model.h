// An image model small enough to be obviously right, for tests of what trains and uses models.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <set>
#include <vector>

#include "ebt/kernels/rng.h"
#include "ebt/model/image_model.h"

namespace ebt::testing {

// Two "thinking steps": the first leaves the noisy image x as it is, the second makes it
// alpha * gain[channel] * x, whose squared error alone is learned. "Energies" are the squared
// errors plus 1. Noise is drawn per image, like that of the real models. With arch kDit, the second
// step is the only one, and there are neither energies nor an alpha.
template <class T>
class GainImageModel : public ImageModel<T> {
 public:
  explicit GainImageModel(const ImageModelConfig& config) : config_(config) {
    if (thinks()) {
      layout_.add("alpha", {}, false);
    }
    layout_.add("gain", {config.channels});
    weights_ = ParameterBlock<T>(layout_);
    gradients_ = ParameterBlock<T>(layout_);
    if (thinks()) {
      weights_.tensor("alpha")[0] = T{0.5};
    }
  }

  // Training steps whose loss is not a number.
  std::set<uint64_t> steps_of_bad_loss;
  // The most images that one call was given.
  int64_t most_rows = 0;
  // Mean pixels of the images that were evaluated, in their order.
  std::vector<double> evaluated;

  const ImageModelConfig& config() const override { return config_; }
  const ParameterLayout& layout() const override { return layout_; }
  const ParameterBlock<T>& weights() const override { return weights_; }
  ParameterBlock<T>& edit_weights() override { return weights_; }
  ParameterBlock<T>& gradients() override { return gradients_; }

  LossSums train(const ImageRows<T>& rows, uint64_t seed, uint64_t training_step) override {
    const RandomStream noise{seed, RandomPurpose::kInitialPrediction, training_step};
    LossSums sums = think(rows, noise, rows.inverse_image_count);
    if (steps_of_bad_loss.contains(training_step)) {
      sums.objective = std::numeric_limits<double>::infinity();
    }
    return sums;
  }

  LossSums evaluate(const ImageRows<T>& rows, uint64_t seed) override {
    for (int64_t row = 0; row < rows.images.dim(0); ++row) {
      double sum = 0;
      for (const T pixel : rows.images.slice(row, 1)) {
        sum += static_cast<double>(pixel);
      }
      evaluated.push_back(sum / static_cast<double>(config_.image_size()));
    }
    return think(rows, {seed, RandomPurpose::kInitialPrediction, ~uint64_t{0}}, 0);
  }

 private:
  static constexpr double kNoise = 0.1;

  bool thinks() const { return config_.arch == ImageArchitecture::kEbt; }

  LossSums think(const ImageRows<T>& rows, const RandomStream& stream, double scale) {
    most_rows = std::max(most_rows, rows.images.dim(0));
    const int64_t size = config_.image_size();
    const int64_t plane = config_.image_height * config_.image_width;
    std::vector<T> noise(static_cast<size_t>(rows.images.count()));
    stream.normal(static_cast<uint64_t>(rows.first_row * size),
                  Tensor<T>{noise.data(), {rows.images.count()}}, static_cast<T>(kNoise));
    const double alpha = thinks() ? static_cast<double>(weights_.tensor("alpha")[0]) : 1.0;
    const double share = 1.0 / static_cast<double>(size);
    double before = 0;
    double after = 0;
    for (int64_t i = 0; i < rows.images.count(); ++i) {
      const int64_t channel = i % size / plane;
      const auto clean = static_cast<double>(rows.images[i]);
      const double noisy = clean + static_cast<double>(noise[static_cast<size_t>(i)]);
      const auto gain = static_cast<double>(weights_.tensor("gain")[channel]);
      const double error = alpha * gain * noisy - clean;
      before += (noisy - clean) * (noisy - clean) * share;
      after += error * error * share;
      const double error_bar = 2 * error * share * scale;
      gradients_.tensor("gain")[channel] += static_cast<T>(error_bar * alpha * noisy);
      if (thinks()) {
        gradients_.tensor("alpha")[0] += static_cast<T>(error_bar * gain * noisy);
      }
    }
    const auto count = static_cast<double>(rows.images.dim(0));
    LossSums sums;
    sums.count = rows.images.dim(0);
    sums.objective = after;
    if (thinks()) {
      sums.losses = {before, after};
      sums.energies = {before + count, after + count};
    } else {
      sums.losses = {after};
    }
    return sums;
  }

  ImageModelConfig config_;
  ParameterLayout layout_;
  ParameterBlock<T> weights_;
  ParameterBlock<T> gradients_;
};

}  // namespace ebt::testing
