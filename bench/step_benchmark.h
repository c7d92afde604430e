// How fast a training step is, against the hardware's own rate in the same run.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "bench/benchmark_clock.h"
#include "ebt/core/phase.h"
#include "ebt/train/adamw.h"
#include "ebt/train/trainer.h"

namespace ebt {

struct StepBenchmark {
  int64_t parameters = 0;
  double seconds_per_step = 0;  // median: gradients, clipping and AdamW
  double per_second = 0;        // tokens or images: what carries loss
  PhaseSeconds phases;          // of the step whose time is the median: they add up to it
  double peak_gib = 0;          // most memory the process ever held, up to the end of the steps
  double planned_gib = 0;       // what the task's model_bytes foretold
  double gemm_seconds = 0;      // the step's matrix products alone, median
  double gemm_gflop = 0;        // floating-point operations of those products, 10^9
  double gemm_ratio = 0;        // seconds_per_step / gemm_seconds
  // Of a baseline of the same size on the same data, and how many times longer the step takes; 0
  // where the measured model is one itself.
  double baseline_seconds = 0;
  double baseline_ratio = 0;
};

// A model, and what trains it.
struct TimedSteps {
  int64_t parameters = 0;
  double planned_gib = 0;
  std::function<int64_t()> take_one;  // returns how much carried loss
};

// Steps of a task (train/trainer.h) on data that are open.
template <class Task>
TimedSteps timed_steps(const typename Task::Config& config, typename Task::Data data) {
  using Scalar = typename Task::Scalar;
  struct State {
    std::unique_ptr<typename Task::Model> model;
    AdamW<Scalar> optimizer;
    Task task;
    double rate;
    int64_t step = 0;
  };
  auto model = Task::make_model(config);
  AdamW<Scalar> optimizer(model->layout(), OptimizerConfig{}, {});
  const auto state =
      std::make_shared<State>(State{std::move(model), std::move(optimizer),
                                    Task(config, std::move(data)), config.optimizer.learning_rate});
  TimedSteps steps;
  steps.parameters = state->model->layout().count();
  steps.planned_gib = static_cast<double>(Task::model_bytes(config)) / (1 << 30);
  steps.take_one = [state] {
    const auto gradients = state->model->gradients().all();
    std::fill(gradients.begin(), gradients.end(), Scalar{0});
    typename Task::Measured measured;
    state->task.add_gradients(*state->model, state->step++, measured);
    const PhaseScope scope(Phase::kOptimizer);
    const double norm = state->optimizer.gradient_norm(state->model->gradients());
    state->optimizer.update(state->model->edit_weights(), state->model->gradients(), state->rate,
                            clip_scale(norm, 1.0));
    return measured.count;
  };
  return steps;
}

// Times the steps, then the matrix products of one by themselves, then steps of the baseline, which
// progress calls `baseline_name`; without `make_baseline` there is none. Throws Error for an
// impossible number of iterations.
StepBenchmark benchmark_steps(int64_t iterations, const std::function<TimedSteps()>& make,
                              const std::function<TimedSteps()>& make_baseline,
                              const char* baseline_name, const BenchmarkProgress& progress);

}  // namespace ebt
