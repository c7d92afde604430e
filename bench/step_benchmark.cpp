#include "bench/step_benchmark.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "bench/gemm_replay.h"
#include "ebt/core/config_fields.h"
#include "ebt/kernels/gemm.h"
#include "ebt/model/text_model.h"
#include "ebt/train/adamw.h"

namespace ebt {
namespace {

constexpr const char* kTransformerPp = "transformer_pp";

ModelConfig model_of(const StepBenchmarkConfig& config) {
  ModelConfig model;
  fields_from_json({{"arch", config.arch}, {"type", config.type}}, "bench", model);
  const ModelSize& size = model_size(config.size);
  model.layers = size.layers;
  model.width = size.width;
  model.heads = size.heads;
  model.vocab_size = config.vocab;
  model.context = config.context;
  model.landscapes = config.think_steps;
  return model;
}

EngineOptions options_of(const StepBenchmarkConfig& config) {
  EngineOptions options;
  options.precision = precision_of(config.precision);
  options.recompute = config.recompute;
  return options;
}

// A model, and what trains it on random tokens.
class TrainingSteps {
 public:
  explicit TrainingSteps(const StepBenchmarkConfig& config)
      : config_(config),
        model_config_(model_of(config)),
        rows_(config.micro_batch == 0 ? config.batch : std::min(config.micro_batch, config.batch)),
        options_(options_of(config)),
        model_(make_text_model<float>(model_config_, thinking_, rows_, config.context, options_)),
        optimizer_(model_->layout(), OptimizerConfig{}, {}),
        tokens_(static_cast<size_t>(config.batch * config.context + 1)) {
    initialize_weights(*model_, thinking_, 0);
    const RandomStream random{0, RandomPurpose::kDataOrder, 0};
    for (size_t i = 0; i < tokens_.size(); ++i) {
      tokens_[i] = static_cast<int32_t>(random.below(static_cast<uint64_t>(config.vocab), i));
    }
  }

  int64_t parameters() const { return model_->layout().count(); }
  double planned_gib() const {
    return static_cast<double>(
               model_bytes<float>(model_config_, thinking_, rows_, config_.context, options_)) /
           (1 << 30);
  }
  void take_one() {
    std::fill(model_->gradients().all().begin(), model_->gradients().all().end(), 0.0F);
    for (int64_t first = 0; first < config_.batch; first += rows_) {
      TrainingRows<float> rows;
      const Shape shape{std::min(rows_, config_.batch - first), config_.context};
      rows.inputs = {tokens_.data() + first * config_.context, shape};
      rows.targets = {tokens_.data() + first * config_.context + 1, shape};
      rows.first_row = first;
      rows.inverse_token_count = 1.0 / static_cast<double>(config_.batch * config_.context);
      model_->train(rows, 0, step_);
    }
    const PhaseScope scope(Phase::kOptimizer);
    const double norm = optimizer_.gradient_norm(model_->gradients());
    optimizer_.update(model_->weights(), model_->gradients(), 1e-3, clip_scale(norm, 1.0));
    ++step_;
  }
  PhaseSeconds time(const char* what, const BenchmarkProgress& progress) {
    return median_phases(config_.iterations, what, progress, [&] { take_one(); });
  }

 private:
  StepBenchmarkConfig config_;
  ModelConfig model_config_;
  ThinkingConfig thinking_;
  int64_t rows_;  // of one gradient pass
  EngineOptions options_;
  std::unique_ptr<TextModel<float>> model_;
  AdamW<float> optimizer_;
  std::vector<int32_t> tokens_;
  uint64_t step_ = 0;
};

}  // namespace

StepBenchmark benchmark_training_step(const StepBenchmarkConfig& config,
                                      const BenchmarkProgress& progress) {
  EBT_CHECK(config.batch >= 1, "--batch: {} is not positive", config.batch);
  EBT_CHECK(config.micro_batch >= 0, "--micro-batch: {} is negative", config.micro_batch);
  start_benchmark(config.iterations, config.threads);
  StepBenchmark result;
  std::vector<kernels::GemmShape> shapes;
  {
    TrainingSteps steps(config);
    result.parameters = steps.parameters();
    result.phases = steps.time("training steps", progress);
    result.peak_gib = peak_gib();
    result.planned_gib = steps.planned_gib();
    shapes = products_of([&] { steps.take_one(); });
  }
  result.seconds_per_step = result.phases.total();
  result.tokens_per_second =
      static_cast<double>(config.batch * config.context) / result.seconds_per_step;

  {
    GemmReplay replay(std::move(shapes));
    result.gemm_seconds =
        median_seconds(config.iterations, "matrix products", progress, [&] { replay.run(); });
    result.gemm_gflop = replay.gflop();
    result.gemm_ratio = result.seconds_per_step / result.gemm_seconds;
  }

  if (config.arch != kTransformerPp) {
    StepBenchmarkConfig baseline = config;
    baseline.arch = kTransformerPp;
    result.transformer_pp_seconds =
        TrainingSteps(baseline).time("steps of Transformer++", progress).total();
    result.transformer_pp_ratio = result.seconds_per_step / result.transformer_pp_seconds;
  }
  return result;
}

}  // namespace ebt
