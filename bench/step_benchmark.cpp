#include "bench/step_benchmark.h"

#include <fmt/format.h>

#include <vector>

#include "bench/gemm_replay.h"

namespace ebt {

StepBenchmark benchmark_steps(int64_t iterations, const std::function<TimedSteps()>& make,
                              const std::function<TimedSteps()>& make_baseline,
                              const char* baseline_name, const BenchmarkProgress& progress) {
  StepBenchmark result;
  std::vector<kernels::GemmShape> shapes;
  int64_t count = 0;
  {
    const TimedSteps steps = make();
    result.parameters = steps.parameters;
    result.planned_gib = steps.planned_gib;
    result.phases =
        median_phases(iterations, "training steps", progress, [&] { count = steps.take_one(); });
    result.peak_gib = peak_gib();
    shapes = products_of([&] { steps.take_one(); });
  }
  result.seconds_per_step = result.phases.total();
  result.per_second = static_cast<double>(count) / result.seconds_per_step;
  {
    GemmReplay replay(std::move(shapes));
    result.gemm_seconds =
        median_seconds(iterations, "matrix products", progress, [&] { replay.run(); });
    result.gemm_gflop = replay.gflop();
    result.gemm_ratio = result.seconds_per_step / result.gemm_seconds;
  }
  if (make_baseline) {
    const TimedSteps steps = make_baseline();
    const std::string what = fmt::format("steps of {}", baseline_name);
    result.baseline_seconds =
        median_seconds(iterations, what.c_str(), progress, [&] { steps.take_one(); });
    result.baseline_ratio = result.seconds_per_step / result.baseline_seconds;
  }
  return result;
}

}  // namespace ebt
