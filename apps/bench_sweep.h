// `ebt bench train --sweep`: the benchmark at several values of one setting.
#pragma once

#include <string>

#include "bench/text_step_benchmark.h"

namespace ebt {

struct SweepConfig {
  std::string sweep;
  std::string values;
  std::string out = "sweep";

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("sweep", sweep,
          "measure at several values of one setting: context (at a constant batch times context), "
          "vocab, think-steps or size");
    visit("values", values, "values to measure at, with commas between them; default: a few");
    visit("out", out, "folder that receives sweep-SETTING.csv and sweep-SETTING.svg");
  }
};

// Measures every value in a process of its own, so that peak memory is that value's, and writes the
// files anew after each. A value that fails is a row with its error. Prints a table, or with `json`
// one object. Throws Error for a sweep that cannot begin, and where every value failed.
void run_sweep(const SweepConfig& sweep, const TextStepBenchmarkConfig& base, bool json);

}  // namespace ebt
