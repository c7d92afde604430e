// Timing of work that is repeated, and reported by its median.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "ebt/core/phase.h"

namespace ebt {

// Is told what is being measured.
using BenchmarkProgress = std::function<void(const std::string&)>;

// Sets the number of OpenMP threads of the process; 0 uses all cores. Throws Error for values of
// --iterations and --threads that are impossible.
void start_benchmark(int64_t iterations, int64_t threads);

// Does the work once to warm up and then `iterations` times, and returns the median of the seconds
// it took.
double median_seconds(int64_t iterations, const char* what, const BenchmarkProgress& progress,
                      const std::function<void()>& work);
// The same by phases: those of the run that takes the median time.
PhaseSeconds median_phases(int64_t iterations, const char* what, const BenchmarkProgress& progress,
                           const std::function<void()>& work);

// The most memory that the process ever held.
double peak_gib();

}  // namespace ebt
