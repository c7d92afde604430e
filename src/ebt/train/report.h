// What a run measures, for people (the progress line) and for machines (metrics.jsonl).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ebt/core/config_fields.h"
#include "ebt/think/evaluate.h"

namespace ebt {

// One training step, in what every run has.
struct TrainingStep {
  int64_t step = 0;   // steps taken, this one included
  int64_t steps = 0;  // of the whole run
  double loss = 0;    // what is minimised
  double learning_rate = 0;
  double gradient_norm = 0;         // before clipping
  std::optional<double> step_size;  // alpha after the step, for a model that thinks
  bool skipped = false;             // loss or gradient was not finite: nothing was learned
  int64_t skipped_steps = 0;        // of the whole run so far

  // Measured by the clock, and so different from run to run.
  double seconds = 0;       // that the step took
  double seconds_left = 0;  // to the end of the run, at the mean pace of this process
};

// A step on text. Nats and energies are means over the tokens of its fresh rows; the loss is over
// replayed rows too.
struct StepReport : TrainingStep {
  double nats_per_byte = 0;         // after the last thinking step
  std::vector<double> step_losses;  // (K) nats per token after every thinking step
  std::vector<double> energies;     // (K) before every thinking step; empty for a baseline
  int64_t tokens = 0;               // fresh tokens
  double tokens_per_second = 0;     // by the clock

  // How far the energy falls from the first thinking step to the last; 0 with fewer than two.
  double energy_gap() const;
};

// One validation.
struct ValidationReport {
  int64_t step = 0;  // steps taken
  Evaluation evaluation;
  double seconds = 0;  // that it took

  double loss() const { return evaluation.loss(); }
};

// The lines of metrics.jsonl. All fields but "seconds" and "tokens_per_second" are the same in
// every run of one config; a number that is not finite is null.
Json to_json(const StepReport& report);
Json to_json(const ValidationReport& report);

// Adds to a line what the optimizer did: learning rate, gradient norm, alpha, whether it skipped.
void add_optimizer_fields(const TrainingStep& report, Json& line);

}  // namespace ebt
