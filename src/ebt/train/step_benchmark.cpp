#include "ebt/train/step_benchmark.h"

#include <omp.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
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

template <class Work>
double median_seconds(int64_t iterations, Work&& work) {
  std::vector<double> seconds;
  for (int64_t i = 0; i <= iterations; ++i) {
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

}  // namespace

StepBenchmark benchmark_training_step(const StepBenchmarkConfig& config) {
  EBT_CHECK(config.batch >= 1, "--batch: {} is not positive", config.batch);
  EBT_CHECK(config.micro_batch >= 0, "--micro-batch: {} is negative", config.micro_batch);
  EBT_CHECK(config.iterations >= 1, "--iterations: {} is not positive", config.iterations);
  EBT_CHECK(config.threads >= 0, "--threads: {} is negative", config.threads);
  omp_set_num_threads(config.threads > 0
                          ? static_cast<int>(config.threads)
                          : static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
  const ModelConfig model_config = model_of(config);
  const ThinkingConfig thinking;
  EngineOptions options;
  options.precision = precision_of(config.precision);
  options.recompute = config.recompute;
  const int64_t micro =
      config.micro_batch == 0 ? config.batch : std::min(config.micro_batch, config.batch);
  auto model = make_text_model<float>(model_config, thinking, micro, config.context, options);
  initialize_weights(*model, thinking, 0);
  AdamW<float> optimizer(model->layout(), OptimizerConfig{}, {});

  const RandomStream random{0, RandomPurpose::kDataOrder, 0};
  std::vector<int32_t> tokens(static_cast<size_t>(config.batch * config.context + 1));
  for (size_t i = 0; i < tokens.size(); ++i) {
    tokens[i] = static_cast<int32_t>(random.below(static_cast<uint64_t>(config.vocab), i));
  }
  uint64_t step = 0;
  const auto train_step = [&] {
    std::fill(model->gradients().all().begin(), model->gradients().all().end(), 0.0F);
    for (int64_t first = 0; first < config.batch; first += micro) {
      TrainingRows<float> rows;
      const Shape shape{std::min(micro, config.batch - first), config.context};
      rows.inputs = {tokens.data() + first * config.context, shape};
      rows.targets = {tokens.data() + first * config.context + 1, shape};
      rows.first_row = first;
      rows.inverse_token_count = 1.0 / static_cast<double>(config.batch * config.context);
      model->train(rows, 0, step);
    }
    const double norm = optimizer.gradient_norm(model->gradients());
    optimizer.update(model->weights(), model->gradients(), 1e-3, clip_scale(norm, 1.0));
    ++step;
  };

  StepBenchmark result;
  result.seconds_per_step = median_seconds(config.iterations, train_step);
  result.tokens_per_second =
      static_cast<double>(config.batch * config.context) / result.seconds_per_step;
  result.peak_gib = peak_gib();
  result.planned_gib = static_cast<double>(model_bytes<float>(model_config, thinking, micro,
                                                              config.context, options)) /
                       (1 << 30);

  std::vector<kernels::GemmShape> shapes;
  kernels::set_gemm_observer([&](const kernels::GemmShape& shape) { shapes.push_back(shape); });
  train_step();
  kernels::set_gemm_observer({});
  GemmReplay replay(std::move(shapes));
  result.gemm_seconds = median_seconds(config.iterations, [&] { replay.run(); });
  result.gemm_gflop = replay.gflop();
  result.gemm_ratio = result.seconds_per_step / result.gemm_seconds;
  return result;
}

}  // namespace ebt
