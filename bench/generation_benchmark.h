// How fast texts are written, against a model that does not think, against recomputing the prefix
// for every step, and against what the memory can deliver, in the same run.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ebt/core/threads.h"

namespace ebt {

struct GenerationBenchmarkConfig {
  std::string type = "time_embed";
  std::string size = "xxs";
  int64_t vocab = 256;
  int64_t context = 256;
  int64_t think_steps = 2;
  int64_t texts = 16;
  int64_t tokens = 32;
  int64_t iterations = 5;
  int64_t threads = 0;
  std::string precision = "auto";

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("type", type, "how landscapes differ: default, time_embed, adaln, adaln_zero");
    visit("size", size, "published size, 4xs to xl");
    visit("vocab", vocab, "number of tokens V");
    visit("context", context, "tokens in the context of those that are written");
    visit("think-steps", think_steps, "thinking steps K, each on its own landscape");
    visit("texts", texts, "texts at a time, for the throughput");
    visit("tokens", tokens, "tokens written per measurement");
    visit("iterations", iterations, "measurements, of which the median counts");
    visit("threads", threads, kThreadsHelp);
    visit("precision", precision,
          "fp32, bf16, or auto: bf16 where the CPU multiplies it natively, else fp32");
  }
};

// One text at one length of context.
struct ContextCost {
  int64_t context = 0;
  double seconds_per_token = 0;
  double cache_bytes_per_token = 0;  // read of keys and values
};

struct GenerationBenchmark {
  double seconds_per_token = 0;         // one text, cached keys
  double recomputed_seconds = 0;        // a token with every prefix computed anew for every step
  double transformer_pp_seconds = 0;    // a token of the baseline, cached keys
  double prompt_tokens_per_second = 0;  // while a prompt is read
  double texts_tokens_per_second = 0;   // `texts` texts together
  double weight_bytes_per_token = 0;    // read of the model, one text
  double memory_bytes_per_second = 0;   // a sum over memory much larger than the caches
  std::vector<ContextCost> by_context;  // context / 4, / 2, 1, 2 and 4 times
  double cache_bytes_per_second = 0;    // from the slope of by_context
  double speedup() const { return recomputed_seconds / seconds_per_token; }
  double transformer_pp_ratio() const { return seconds_per_token / transformer_pp_seconds; }
  double texts_ratio() const { return texts_tokens_per_second * seconds_per_token; }
};

// Measures generation with random weights from random prompts. Throws Error for an impossible
// configuration.
GenerationBenchmark benchmark_generation(const GenerationBenchmarkConfig& config,
                                         const std::function<void(const std::string&)>& progress);

}  // namespace ebt
