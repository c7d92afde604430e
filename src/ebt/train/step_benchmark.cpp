#include "ebt/train/step_benchmark.h"

#include <fmt/format.h>
#include <omp.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "ebt/core/config_fields.h"
#include "ebt/kernels/gemm.h"
#include "ebt/model/text_model.h"
#include "ebt/optim/adamw.h"

namespace ebt {
namespace {

using Clock = std::chrono::steady_clock;
constexpr const char* kTransformerPp = "transformer_pp";

// Tells how far a measurement is, before every run of what is measured.
void tell(const BenchmarkProgress& progress, const char* what, int64_t run, int64_t iterations) {
  progress(run == 0 ? fmt::format("{}: warming up", what)
                    : fmt::format("{}: {} of {}", what, run, iterations));
}

template <class Work>
double median_seconds(int64_t iterations, const char* what, const BenchmarkProgress& progress,
                      Work&& work) {
  std::vector<double> seconds;
  for (int64_t i = 0; i <= iterations; ++i) {
    tell(progress, what, i, iterations);
    const auto start = Clock::now();
    work();
    if (i > 0) {
      seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
    }
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds[seconds.size() / 2];
}

double peak_gib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / (1 << 20);  // ru_maxrss is in KiB
}

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

// Runs products of the given shapes on memory of their own.
class GemmReplay {
 public:
  explicit GemmReplay(std::vector<kernels::GemmShape> shapes) : shapes_(std::move(shapes)) {
    size_t a = 0;
    size_t b = 0;
    size_t c = 0;
    for (const auto& s : shapes_) {
      a = std::max(a, static_cast<size_t>(s.m * s.k));
      b = std::max(b, static_cast<size_t>(s.k * s.n));
      c = std::max(c, static_cast<size_t>(s.m * s.n));
    }
    a_.assign(a, 0.5F);
    b_.assign(b, 0.25F);
    c_.assign(c, 0.0F);
  }
  double gflop() const {
    double sum = 0;
    for (const auto& s : shapes_) {
      sum += 2e-9 * static_cast<double>(s.m) * static_cast<double>(s.n) * static_cast<double>(s.k);
    }
    return sum;
  }
  void run() {
    using kernels::Matrix;
    using kernels::Write;
    for (const auto& s : shapes_) {
      const Matrix<float> c(c_.data(), s.m, s.n, s.n);
      if (s.transpose_a) {
        kernels::multiply_tn<float>(Matrix<const float>(a_.data(), s.k, s.m, s.m),
                                    Matrix<const float>(b_.data(), s.k, s.n, s.n), c,
                                    Write::kReplace);
      } else if (s.transpose_b) {
        kernels::multiply_nt<float>(Matrix<const float>(a_.data(), s.m, s.k, s.k),
                                    Matrix<const float>(b_.data(), s.n, s.k, s.k), c,
                                    Write::kReplace);
      } else {
        kernels::multiply_nn<float>(Matrix<const float>(a_.data(), s.m, s.k, s.k),
                                    Matrix<const float>(b_.data(), s.k, s.n, s.n), c,
                                    Write::kReplace);
      }
    }
  }

 private:
  std::vector<kernels::GemmShape> shapes_;
  std::vector<float> a_, b_, c_;
};

// A model, and what trains it on random tokens.
class TrainingSteps {
 public:
  explicit TrainingSteps(const StepBenchmarkConfig& config)
      : config_(config),
        model_config_(model_of(config)),
        rows_(config.micro_batch == 0 ? config.batch : std::min(config.micro_batch, config.batch)),
        model_(make_text_model<float>(model_config_, thinking_, rows_, config.context, true)),
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
               training_bytes<float>(model_config_, thinking_, rows_, config_.context)) /
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
  // The phases of the step that takes the median time.
  PhaseSeconds time(const char* what, const BenchmarkProgress& progress) {
    std::vector<PhaseSeconds> steps;
    PhaseClock clock;
    set_phase_clock(&clock);
    for (int64_t i = 0; i <= config_.iterations; ++i) {
      tell(progress, what, i, config_.iterations);
      clock.restart();
      take_one();
      if (i > 0) {
        steps.push_back(clock.seconds());
      }
    }
    const auto middle = steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2);
    std::nth_element(
        steps.begin(), middle, steps.end(),
        [](const PhaseSeconds& a, const PhaseSeconds& b) { return a.total() < b.total(); });
    return *middle;
  }

 private:
  StepBenchmarkConfig config_;
  ModelConfig model_config_;
  ThinkingConfig thinking_;
  int64_t rows_;  // of one gradient pass
  std::unique_ptr<TextModel<float>> model_;
  AdamW<float> optimizer_;
  std::vector<int32_t> tokens_;
  uint64_t step_ = 0;
};

std::vector<kernels::GemmShape> products_of_one(TrainingSteps& steps) {
  std::vector<kernels::GemmShape> shapes;
  kernels::set_gemm_observer([&](const kernels::GemmShape& shape) { shapes.push_back(shape); });
  steps.take_one();
  kernels::set_gemm_observer({});
  return shapes;
}

}  // namespace

StepBenchmark benchmark_training_step(const StepBenchmarkConfig& config,
                                      const BenchmarkProgress& progress) {
  EBT_CHECK(config.precision == "fp32", "--precision: \"{}\" is not fp32", config.precision);
  EBT_CHECK(config.batch >= 1, "--batch: {} is not positive", config.batch);
  EBT_CHECK(config.micro_batch >= 0, "--micro-batch: {} is negative", config.micro_batch);
  EBT_CHECK(config.iterations >= 1, "--iterations: {} is not positive", config.iterations);
  EBT_CHECK(config.threads >= 0, "--threads: {} is negative", config.threads);
  omp_set_num_threads(config.threads > 0
                          ? static_cast<int>(config.threads)
                          : static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
  StepBenchmark result;
  std::vector<kernels::GemmShape> shapes;
  {
    TrainingSteps steps(config);
    result.parameters = steps.parameters();
    result.phases = steps.time("training steps", progress);
    result.peak_gib = peak_gib();
    result.planned_gib = steps.planned_gib();
    shapes = products_of_one(steps);
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
