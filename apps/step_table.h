// A timed training step, for people and for machines.
#pragma once

#include <functional>
#include <string>

#include "bench/step_benchmark.h"
#include "ebt/core/config_fields.h"

namespace ebt {

// What is said of the steps of one kind of model.
struct StepWords {
  std::string subject;        // "ebt xxs · batch 8": what is measured
  const char* counted;        // "tokens": what is counted per second,
  int digits;                 // with so many digits after the point
  const char* baseline_key;   // "transformer_pp", in JSON
  const char* baseline_name;  // "Transformer++"
};

// Measures, telling on stderr how far it is, and prints a table, or with `json` one object: the
// fields of the benchmark's config, "precision" among them, and what was measured.
void report_step(const std::function<StepBenchmark(const BenchmarkProgress&)>& measure,
                 Json settings, const StepWords& words, bool json);

}  // namespace ebt
