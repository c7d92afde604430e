#include "ebt/train/memory_plan.h"

#include <omp.h>

#include "ebt/core/error.h"
#include "ebt/core/log.h"
#include "ebt/io/available_memory.h"
#include "ebt/kernels/attention.h"
#include "ebt/kernels/gemm.h"

namespace ebt {
namespace {

// Code that is generated for products, and the buffers they keep for every thread: measured.
constexpr double kProgramBytes = 12 << 20;
constexpr double kThreadBytes = 3 << 20;

}  // namespace

void MemoryPlan::check_fits(const std::string& what_to_lower) const {
  EBT_CHECK(fits(), "this run needs about {} of memory, and {} are available: lower {}",
            format_bytes(needed_bytes), format_bytes(*available_bytes), what_to_lower);
}

MemoryPlan plan_of(int64_t micro_batch, double bytes_to_take) {
  const auto held = static_cast<double>(held_memory_bytes());
  MemoryPlan plan;
  plan.micro_batch = micro_batch;
  plan.needed_bytes = held + bytes_to_take + kProgramBytes + kThreadBytes * omp_get_max_threads();
  if (const auto available = available_memory_bytes()) {
    plan.available_bytes = held + static_cast<double>(*available);
  }
  return plan;
}

MemoryPlan largest_fitting(int64_t batch, const std::function<MemoryPlan(int64_t)>& plan) {
  for (int64_t rows = batch;; rows = (rows + 1) / 2) {
    const MemoryPlan candidate = plan(rows);
    if (candidate.fits() || rows == 1) {
      return candidate;
    }
  }
}

double attention_bytes(int64_t heads, int64_t queries, int64_t keys, int64_t head_width) {
  return static_cast<double>(
      kernels::attention_scratch_bytes(heads, queries, keys, head_width, omp_get_max_threads()));
}

double widened_bytes(const std::string& precision, int64_t rows, int64_t columns) {
  const bool widens = precision == "bf16" && kernels::bf16_engine() == "float32";
  return widens ? sizeof(float) * static_cast<double>(rows) * static_cast<double>(columns) : 0.0;
}

}  // namespace ebt
