// What a run measures, for people (the progress line) and for machines (metrics.jsonl).
#pragma once

#include <cstdint>
#include <optional>

#include "ebt/core/config_fields.h"
#include "ebt/model/loss_sums.h"

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
  double per_second = 0;    // fresh tokens or images: what LossSums::count counts
};

// What a task measures, `Measured`, is LossSums and what its kind of data has beside them. It has
//   double loss() const                 what a validation is judged by
//   const char* counted_name(measured)  what `count` counts: "tokens"
//   Json step_fields(measured)          its own fields of a step's line of metrics.jsonl
//   Json validation_fields(measured)    and of a validation's line

// A step. The loss may be over replayed rows too; what is measured is over fresh ones.
template <class Measured>
struct StepReport : TrainingStep {
  Measured measured;
};

// One validation.
template <class Measured>
struct ValidationReport {
  int64_t step = 0;  // steps taken
  Measured measured;
  double seconds = 0;  // that it took
};

namespace detail {
Json step_line(const TrainingStep& step, const LossSums& sums, const char* counted,
               const Json& fields);
Json validation_line(int64_t step, double loss, int64_t count, const char* counted,
                     const Json& fields, double seconds);
}  // namespace detail

// The lines of metrics.jsonl. All fields but "seconds" and "..._per_second" are the same in every
// run of one config; a number that is not finite is null.
template <class Measured>
Json to_json(const StepReport<Measured>& report) {
  return detail::step_line(report, report.measured, counted_name(report.measured),
                           step_fields(report.measured));
}
template <class Measured>
Json to_json(const ValidationReport<Measured>& report) {
  return detail::validation_line(report.step, report.measured.loss(), report.measured.count,
                                 counted_name(report.measured), validation_fields(report.measured),
                                 report.seconds);
}

}  // namespace ebt
