#include "bench/image_step_benchmark.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "ebt/kernels/rng.h"
#include "ebt/model/config.h"
#include "ebt/train/image_task.h"

namespace ebt {
namespace {

// The same random pixels in every step.
class RandomImages : public TrainingImages {
 public:
  explicit RandomImages(int64_t values) : pixels_(static_cast<size_t>(values)) {
    const RandomStream random{0, RandomPurpose::kDataOrder, 0};
    for (size_t i = 0; i < pixels_.size(); ++i) {
      pixels_[i] = static_cast<float>(2.0 * random.uniform(i) - 1.0);
    }
  }
  void fill(int64_t /*first*/, Tensor<float> images) override {
    std::copy_n(pixels_.begin(), images.count(), images.begin());
  }
  BadImages bad() const override { return {}; }

 private:
  std::vector<float> pixels_;
};

ImageTrainConfig training_of(const ImageStepBenchmarkConfig& config) {
  ImageTrainConfig training;
  const ModelSize& size = model_size(config.size);
  training.model.arch = config.arch;
  training.model.layers = size.layers;
  training.model.width = size.width;
  training.model.heads = size.heads;
  training.model.image_height = training.model.image_width = config.image_size;
  training.model.patch = config.patch;
  training.model.ffn_multiplier = config.ffn_multiplier;
  training.thinking.steps_min = training.thinking.steps_max = config.think_steps;
  training.optimizer.learning_rate = 1e-4;
  training.run.batch = training.run.micro_batch = config.batch;
  training.run.precision = config.precision;
  return training;
}

TimedSteps steps_of(const ImageStepBenchmarkConfig& config) {
  const ImageTrainConfig training = training_of(config);
  ImageData data;
  data.training = std::make_unique<RandomImages>(config.batch * training.model.image_size());
  return timed_steps<ImageTask<float>>(training, std::move(data));
}

}  // namespace

StepBenchmark benchmark_image_step(const ImageStepBenchmarkConfig& config,
                                   const BenchmarkProgress& progress) {
  EBT_CHECK(config.batch >= 1, "--batch: {} is not positive", config.batch);
  const ImageTrainConfig training = training_of(config);
  training.model.check();
  training.thinking.check();
  start_benchmark(config.iterations, config.threads);
  std::function<TimedSteps()> make_baseline;
  if (config.arch == ImageArchitecture::kEbt) {
    make_baseline = [&] {
      ImageStepBenchmarkConfig baseline = config;
      baseline.arch = ImageArchitecture::kDit;
      return steps_of(baseline);
    };
  }
  return benchmark_steps(
      config.iterations, [&] { return steps_of(config); }, make_baseline, "DiT", progress);
}

}  // namespace ebt
