#include "ebt/train/step_benchmark.h"

#include <fmt/format.h>
#include <omp.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
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

EngineOptions options_of(const StepBenchmarkConfig& config) {
  EngineOptions options;
  options.precision = precision_of(config.precision);
  options.recompute = config.recompute;
  return options;
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
    const bool rounded = std::any_of(shapes_.begin(), shapes_.end(),
                                     [](const kernels::GemmShape& s) { return s.bf16; });
    a16_.assign(rounded ? a : 0, Bfloat16(0.5F));
    b16_.assign(rounded ? b : 0, Bfloat16(0.25F));
    c16_.assign(rounded ? c : 0, Bfloat16(0.0F));
    for (const auto& s : shapes_) {
      if (s.bf16 && !s.transpose_a && packed_.count({s.k, s.n}) == 0) {
        auto matrix = std::make_unique<kernels::PackedMatrix>(s.k, s.n);
        matrix->pack(kernels::Matrix<const float>(b_.data(), s.k, s.n, s.n), false);
        packed_[{s.k, s.n}] = std::move(matrix);
      }
    }
  }
  double gflop() const {
    double sum = 0;
    for (const auto& s : shapes_) {
      sum += 2e-9 * static_cast<double>(s.m) * static_cast<double>(s.n) * static_cast<double>(s.k);
    }
    return sum;
  }
  void run() {
    for (const auto& s : shapes_) {
      if (s.bf16) {
        run_bf16(s);
      } else {
        run_float(s);
      }
    }
  }

 private:
  template <class T>
  static kernels::Matrix<T> matrix(T* data, int64_t rows, int64_t columns) {
    return {data, rows, columns, columns};
  }
  void run_float(const kernels::GemmShape& s) {
    using kernels::Write;
    const float* a = a_.data();
    const float* b = b_.data();
    const auto c = matrix(c_.data(), s.m, s.n);
    if (s.transpose_a) {
      kernels::multiply_tn<float, float>(matrix(a, s.k, s.m), matrix(b, s.k, s.n), c,
                                         Write::kReplace);
    } else if (s.transpose_b) {
      kernels::multiply_nt<float>(matrix(a, s.m, s.k), matrix(b, s.n, s.k), c, Write::kReplace);
    } else {
      kernels::multiply_nn<float>(matrix(a, s.m, s.k), matrix(b, s.k, s.n), c, Write::kReplace);
    }
  }
  void run_bf16(const kernels::GemmShape& s) {
    using kernels::Write;
    const Bfloat16* a = a16_.data();
    if (s.transpose_a) {
      kernels::multiply_tn<float, Bfloat16>(matrix(a, s.k, s.m),
                                            matrix<const Bfloat16>(b16_.data(), s.k, s.n),
                                            matrix(c_.data(), s.m, s.n), Write::kReplace);
      return;
    }
    const kernels::WeightMatrix<float, Bfloat16> weights{
        {}, packed_.at({s.k, s.n}).get(), packed_.at({s.k, s.n}).get()};
    if (s.bf16_result) {
      kernels::multiply_nn<float, Bfloat16, Bfloat16>(
          matrix(a, s.m, s.k), weights, matrix(c16_.data(), s.m, s.n), Write::kReplace);
    } else {
      kernels::multiply_nn<float, Bfloat16, float>(matrix(a, s.m, s.k), weights,
                                                   matrix(c_.data(), s.m, s.n), Write::kReplace);
    }
  }

  std::vector<kernels::GemmShape> shapes_;
  std::vector<float> a_, b_, c_;
  std::vector<Bfloat16> a16_, b16_, c16_;
  std::map<std::pair<int64_t, int64_t>, std::unique_ptr<kernels::PackedMatrix>> packed_;
};

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
  EngineOptions options_;
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
