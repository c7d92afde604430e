#include "bench/benchmark_clock.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "ebt/core/error.h"
#include "ebt/core/threads.h"

namespace ebt {

void start_benchmark(int64_t iterations, int64_t threads) {
  EBT_CHECK(iterations >= 1, "--iterations: {} is not positive", iterations);
  use_threads(threads);
}

PhaseSeconds median_phases(int64_t iterations, const char* what, const BenchmarkProgress& progress,
                           const std::function<void()>& work) {
  std::vector<PhaseSeconds> runs;
  PhaseClock clock;
  set_phase_clock(&clock);
  for (int64_t i = 0; i <= iterations; ++i) {
    progress(i == 0 ? fmt::format("{}: warming up", what)
                    : fmt::format("{}: {} of {}", what, i, iterations));
    clock.restart();
    work();
    if (i > 0) {
      runs.push_back(clock.seconds());
    }
  }
  const auto middle = runs.begin() + static_cast<std::ptrdiff_t>(runs.size() / 2);
  std::nth_element(
      runs.begin(), middle, runs.end(),
      [](const PhaseSeconds& a, const PhaseSeconds& b) { return a.total() < b.total(); });
  return *middle;
}

double median_seconds(int64_t iterations, const char* what, const BenchmarkProgress& progress,
                      const std::function<void()>& work) {
  return median_phases(iterations, what, progress, work).total();
}

double peak_gib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / (1 << 20);  // ru_maxrss is in KiB
}

}  // namespace ebt
