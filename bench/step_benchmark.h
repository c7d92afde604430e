// How fast a training step is, against the hardware's own rate in the same run.
#pragma once

#include <cstdint>
#include <string>

#include "bench/benchmark_clock.h"
#include "ebt/core/phase.h"
#include "ebt/core/threads.h"
#include "ebt/model/config.h"
#include "ebt/model/thinking_config.h"

namespace ebt {

struct StepBenchmarkConfig {
  std::string arch = "ebt";
  std::string type = "time_embed";
  std::string size = "4xs";
  int64_t vocab = 256;
  int64_t batch = 16;
  int64_t micro_batch = 0;
  int64_t context = 256;
  int64_t think_steps = 2;
  int64_t iterations = 7;
  int64_t threads = 0;
  std::string precision = "auto";
  bool recompute = false;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("arch", arch, "architecture: ebt or transformer_pp");
    visit("type", type, "how landscapes differ: default, time_embed, adaln, adaln_zero");
    visit("size", size, "published size, 4xs to xl");
    visit("vocab", vocab, "number of tokens V");
    visit("batch", batch, "rows per training step");
    visit("micro-batch", micro_batch, "rows per gradient pass; 0 is the whole batch");
    visit("context", context, "tokens of context S");
    visit("think-steps", think_steps, "thinking steps K of an S1 training step");
    visit("iterations", iterations, "steps timed, after one to warm up; the median counts");
    visit("threads", threads, kThreadsHelp);
    visit("precision", precision,
          "fp32, bf16, or auto: bf16 where the CPU multiplies it natively, else fp32");
    visit("recompute", recompute, "compute the context's blocks twice instead of keeping them");
  }
};

struct StepBenchmark {
  int64_t parameters = 0;
  double seconds_per_step = 0;  // median: gradients, clipping and AdamW
  double tokens_per_second = 0;
  PhaseSeconds phases;      // of the step whose time is the median: they add up to it
  double peak_gib = 0;      // most memory the process ever held, up to the end of the steps
  double planned_gib = 0;   // what model_bytes foretold
  double gemm_seconds = 0;  // the step's matrix products alone, median
  double gemm_gflop = 0;    // floating-point operations of those products, 10^9
  double gemm_ratio = 0;    // seconds_per_step / gemm_seconds
  // Of a Transformer++ of the same size on the same tokens, and how many times longer the step
  // takes; 0 where the measured model is one itself.
  double transformer_pp_seconds = 0;
  double transformer_pp_ratio = 0;
};

// Times training steps of an S1 model on random tokens, then the matrix products of one step by
// themselves, then steps of the baseline. Throws Error for an impossible configuration.
StepBenchmark benchmark_training_step(const StepBenchmarkConfig& config,
                                      const BenchmarkProgress& progress);

}  // namespace ebt
