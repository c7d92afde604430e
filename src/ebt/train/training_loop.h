// What training is, whatever is learned: steps down the gradient, of which those that are not
// finite are skipped; what was measured, validations and checkpoints when they are due.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "ebt/core/work_watch.h"
#include "ebt/train/adamw.h"
#include "ebt/train/checkpoint.h"
#include "ebt/train/metrics_log.h"
#include "ebt/train/report.h"
#include "ebt/train/run_settings.h"
#include "ebt/train/schedule.h"

namespace ebt {

// How far a step or a validation has come that is being computed.
struct PartOfRun {
  const char* what = "";  // "step" or "validation"
  int64_t step = 0;       // that is being taken, or whose weights are measured
  int64_t steps = 0;      // of the whole run
  double share = 0;       // of it that is done, in [0, 1]
  double seconds = 0;     // since it began
};

// What a run tells whoever watches it, and asks of them. Empty functions are not called.
template <class Step, class Validation>
struct RunObserver {
  std::function<void(const Step&)> on_step = nullptr;
  std::function<void(const Validation&)> on_validation = nullptr;
  // Told again and again while a step or a validation is computed.
  std::function<void(const PartOfRun&)> on_part = nullptr;
  // Asked after every step: true saves a checkpoint and ends the run early.
  std::function<bool()> stop_requested = nullptr;
  // Asked all the time, by several threads: true gives up the step or validation that is being
  // computed, saves a checkpoint and ends the run early. The run is then as before that step, or
  // before that validation. Once true, it must stay so.
  std::function<bool()> interrupted = nullptr;
};

// What a loop does by turns. Reports become lines of metrics through their to_json.
template <class Step, class Validation>
struct RunParts {
  std::function<Step()> take_step;       // ends in TrainingLoop::learn
  std::function<Validation()> validate;  // empty: nothing is kept for validation
  std::function<void()> save;            // the checkpoint
};

class StopWatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Owns the optimizer of a run and how far it has come. The weights are the model's.
template <class T>
class TrainingLoop {
 public:
  // The layout and the group must outlive the loop. Alpha learns at `step_size_rate` times the
  // learning rate; at 0 it is frozen.
  TrainingLoop(const ParameterLayout& layout, const OptimizerConfig& optimizer,
               double step_size_rate, const RunSettings& run, Group& ranks = lone_group());

  TrainingProgress& progress() { return progress_; }
  const TrainingProgress& progress() const { return progress_; }
  // Which rank keeps the moments of which parameters.
  const Shards& shards() const { return optimizer_.shards(); }
  // `replay` may be null.
  Checkpoint<T> checkpoint(ParameterBlock<T>& weights, ReplayBuffer<T>* replay) {
    return {weights, optimizer_, replay, progress_};
  }

  // Ends a step whose gradients are complete, each in its shard: takes it, unless they or
  // report.loss are not finite, and fills in the rest of the report but for what the clock
  // measures.
  void learn(ParameterBlock<T>& weights, const ParameterBlock<T>& gradients, TrainingStep& report);

  // Takes the steps that are left, with a validation and a checkpoint at the configured intervals
  // and at the end. Returns whether all of that is done: false where it was ended early. Throws
  // Error when run.max_bad_steps steps in a row were not finite, when the run ends in weights that
  // are no good (a validation that is not finite or, where there is none, a last step that was
  // not), or a file cannot be written; the last checkpoint is then in the folder.
  // All ranks call it, and take every decision together; rank 0 alone writes metrics. The end that
  // an observer of one of many asks for comes between steps.
  template <class Step, class Validation>
  bool run(const RunParts<Step, Validation>& parts, const RunObserver<Step, Validation>& observer);

 private:
  [[noreturn]] void fail_as_diverged(const TrainingStep& report) const;
  bool validation_is_due() const {
    return progress_.step == run_.steps || progress_.step % run_.validate_every == 0;
  }
  // Returns what `compute` does, which ends in Stopped where the observer wants that.
  template <class Observer, class Compute>
  auto watched(const Observer& observer, const char* what, int64_t step, const Compute& compute) {
    const StopWatch since;
    // A rank that gave up its part would leave the others waiting.
    const WorkWatch watch{ranks_->size() == 1 ? observer.interrupted : nullptr, [&](double share) {
                            if (observer.on_part) {
                              observer.on_part({what, step, run_.steps, share, since.seconds()});
                            }
                          }};
    const WatchedWork work(watch);
    return compute();
  }
  // Returns whether the weights are good enough for a checkpoint, or at the end for a model.
  template <class Step, class Validation>
  bool validate(const RunParts<Step, Validation>& parts,
                const RunObserver<Step, Validation>& observer, MetricsLog& metrics);
  // Whether any rank's observer wants the end.
  template <class Observer>
  bool stop_requested(const Observer& observer) const {
    const bool many = ranks_->size() > 1;
    const bool wanted = (observer.stop_requested && observer.stop_requested()) ||
                        (many && observer.interrupted && observer.interrupted());
    const std::vector<char> wishes = gather_values<char>(*ranks_, wanted ? 1 : 0);
    return std::find(wishes.begin(), wishes.end(), 1) != wishes.end();
  }
  // Returns false where the observer asked for the end.
  template <class Step, class Validation>
  bool take_steps(const RunParts<Step, Validation>& parts,
                  const RunObserver<Step, Validation>& observer, MetricsLog& metrics);

  RunSettings run_;
  Group* ranks_;
  AdamW<T> optimizer_;
  LearningRateSchedule schedule_;
  double clip_norm_;
  TrainingProgress progress_;
};

// Throws Error when the run's folder holds a model: a new run must not cost it.
void check_holds_no_model(const RunSettings& run);

// Throws Error when a run that has taken `taken` steps is to end before them.
void check_steps_left(const RunSettings& run, int64_t taken);

// Writes out what a config leaves to the model's initial weights: alpha, and the rate at which it
// learns. Does nothing for a model without an alpha.
template <class Model, class Thinking>
void resolve_step_size(Model& model, Thinking& thinking) {
  constexpr double kPublishedStepSizeRate = 3.0;
  if (!model.layout().contains(kStepSizeName)) {
    return;
  }
  thinking.step_size = static_cast<double>(model.weights().tensor(kStepSizeName)[0]);
  if (thinking.step_size_lr == 0) {
    thinking.step_size_lr = kPublishedStepSizeRate * thinking.step_size;
  }
}

// Alpha's rate over the learning rate, as TrainingLoop takes it.
template <class Thinking>
double step_size_rate(const Thinking& thinking) {
  return thinking.step_size_learnable ? thinking.step_size_lr : 0.0;
}

template <class T>
template <class Step, class Validation>
bool TrainingLoop<T>::run(const RunParts<Step, Validation>& parts,
                          const RunObserver<Step, Validation>& observer) {
  MetricsLog metrics =
      ranks_->rank() == 0
          ? MetricsLog(std::filesystem::path(run_.out) / kMetricsFile, progress_.step)
          : MetricsLog();
  try {
    // A validation that was given up is made up for: its step has a line of its own alone.
    if (gather_values(*ranks_, metrics.lines_of_step()).front() == 1 && validation_is_due() &&
        !validate(parts, observer, metrics) && progress_.step == run_.steps) {
      fail_as_diverged({});
    }
    return take_steps(parts, observer, metrics);
  } catch (const Stopped&) {
    metrics.sync();
    parts.save();
    return false;
  }
}

template <class T>
template <class Step, class Validation>
bool TrainingLoop<T>::take_steps(const RunParts<Step, Validation>& parts,
                                 const RunObserver<Step, Validation>& observer,
                                 MetricsLog& metrics) {
  const StopWatch watch;
  const int64_t first_step = progress_.step;
  while (progress_.step < run_.steps) {
    Step report = watched(observer, "step", progress_.step + 1, parts.take_step);
    const int64_t step = progress_.step;
    const bool last = step == run_.steps;
    report.seconds_left = watch.seconds() / static_cast<double>(step - first_step) *
                          static_cast<double>(run_.steps - step);
    metrics.write(to_json(report));
    if (observer.on_step) {
      observer.on_step(report);
    }
    if (progress_.bad_steps >= run_.max_bad_steps) {
      fail_as_diverged(report);
    }
    // Weights whose last step was bad may be about to fail: the checkpoint before them is the good
    // one.
    bool good = progress_.bad_steps == 0;
    if (validation_is_due()) {
      good = validate(parts, observer, metrics);
    }
    if (last && !good) {
      fail_as_diverged(report);
    }
    const bool stopped = stop_requested(observer);
    const bool due = step % run_.checkpoint_every == 0 && good;
    if (due || last || stopped) {
      metrics.sync();
      parts.save();
    }
    if (stopped) {
      return last;
    }
  }
  return true;
}

template <class T>
template <class Step, class Validation>
bool TrainingLoop<T>::validate(const RunParts<Step, Validation>& parts,
                               const RunObserver<Step, Validation>& observer, MetricsLog& metrics) {
  if (!parts.validate) {
    return progress_.bad_steps == 0;
  }
  const Validation validation = watched(observer, "validation", progress_.step, parts.validate);
  metrics.write(to_json(validation));
  if (observer.on_validation) {
    observer.on_validation(validation);
  }
  const bool last = progress_.step == run_.steps;
  return std::isfinite(validation.measured.loss()) && (last || progress_.bad_steps == 0);
}

}  // namespace ebt
