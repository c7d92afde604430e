// How fast a training step on text is.
#pragma once

#include <cstdint>
#include <string>

#include "bench/step_benchmark.h"
#include "ebt/core/threads.h"

namespace ebt {

struct TextStepBenchmarkConfig {
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

// Times training steps of an S1 model on random tokens, as benchmark_steps; the baseline is a
// Transformer++. Throws Error for an impossible configuration.
StepBenchmark benchmark_text_step(const TextStepBenchmarkConfig& config,
                                  const BenchmarkProgress& progress);

}  // namespace ebt
