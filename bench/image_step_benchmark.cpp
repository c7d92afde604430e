#include "bench/image_step_benchmark.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "bench/gemm_replay.h"
#include "ebt/kernels/rng.h"
#include "ebt/model/config.h"
#include "ebt/model/image_model.h"
#include "ebt/train/adamw.h"

namespace ebt {
namespace {

ImageModelConfig model_of(const ImageStepBenchmarkConfig& config) {
  ImageModelConfig model;
  const ModelSize& size = model_size(config.size);
  model.arch = config.arch;
  model.layers = size.layers;
  model.width = size.width;
  model.heads = size.heads;
  model.image_height = model.image_width = config.image_size;
  model.patch = config.patch;
  model.ffn_multiplier = config.ffn_multiplier;
  return model;
}

ImageThinkingConfig thinking_of(const ImageStepBenchmarkConfig& config) {
  ImageThinkingConfig thinking;
  thinking.steps_min = thinking.steps_max = config.think_steps;
  return thinking;
}

EngineOptions options_of(const ImageStepBenchmarkConfig& config) {
  EngineOptions options;
  options.precision = precision_of(config.precision);
  return options;
}

// A model, and what trains it on random images.
class TrainingSteps {
 public:
  explicit TrainingSteps(const ImageStepBenchmarkConfig& config)
      : config_(config),
        model_(make_image_model<float>(model_of(config), thinking_of(config), {}, config.batch,
                                       options_of(config))),
        optimizer_(model_->layout(), OptimizerConfig{}, {}),
        pixels_(static_cast<size_t>(config.batch * model_->config().image_size())) {
    initialize_weights(*model_, thinking_of(config), 0);
    const RandomStream random{0, RandomPurpose::kDataOrder, 0};
    for (size_t i = 0; i < pixels_.size(); ++i) {
      pixels_[i] = static_cast<float>(2.0 * random.uniform(i) - 1.0);
    }
  }

  int64_t parameters() const { return model_->layout().count(); }
  void take_one() {
    const ImageModelConfig& model = model_->config();
    std::fill(model_->gradients().all().begin(), model_->gradients().all().end(), 0.0F);
    ImageRows<float> rows;
    rows.images = {pixels_.data(),
                   {config_.batch, model.channels, model.image_height, model.image_width}};
    rows.inverse_image_count = 1.0 / static_cast<double>(config_.batch);
    model_->train(rows, 0, step_);
    const PhaseScope scope(Phase::kOptimizer);
    const double norm = optimizer_.gradient_norm(model_->gradients());
    optimizer_.update(model_->weights(), model_->gradients(), 1e-4, clip_scale(norm, 1.0));
    ++step_;
  }
  PhaseSeconds time(const char* what, const BenchmarkProgress& progress) {
    return median_phases(config_.iterations, what, progress, [&] { take_one(); });
  }

 private:
  ImageStepBenchmarkConfig config_;
  std::unique_ptr<ImageModel<float>> model_;
  AdamW<float> optimizer_;
  std::vector<float> pixels_;
  uint64_t step_ = 0;
};

}  // namespace

ImageStepBenchmark benchmark_image_step(const ImageStepBenchmarkConfig& config,
                                        const BenchmarkProgress& progress) {
  EBT_CHECK(config.batch >= 1, "--batch: {} is not positive", config.batch);
  model_of(config).check();
  thinking_of(config).check();
  start_benchmark(config.iterations, config.threads);
  ImageStepBenchmark result;
  std::vector<kernels::GemmShape> shapes;
  {
    TrainingSteps steps(config);
    result.parameters = steps.parameters();
    result.phases = steps.time("training steps", progress);
    result.peak_gib = peak_gib();
    shapes = products_of([&] { steps.take_one(); });
  }
  result.planned_gib =
      static_cast<double>(image_model_bytes<float>(model_of(config), thinking_of(config),
                                                   config.batch, options_of(config))) /
      (1 << 30);
  result.seconds_per_step = result.phases.total();
  result.images_per_second = static_cast<double>(config.batch) / result.seconds_per_step;
  {
    GemmReplay replay(std::move(shapes));
    result.gemm_seconds =
        median_seconds(config.iterations, "matrix products", progress, [&] { replay.run(); });
    result.gemm_gflop = replay.gflop();
    result.gemm_ratio = result.seconds_per_step / result.gemm_seconds;
  }
  if (config.arch == ImageArchitecture::kEbt) {
    ImageStepBenchmarkConfig baseline = config;
    baseline.arch = ImageArchitecture::kDit;
    result.dit_seconds = TrainingSteps(baseline).time("steps of DiT", progress).total();
    result.dit_ratio = result.seconds_per_step / result.dit_seconds;
  }
  return result;
}

}  // namespace ebt
