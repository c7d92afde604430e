#include "ebt/train/training_loop.h"

#include <cmath>
#include <string>
#include <system_error>

#include "ebt/core/error.h"

namespace ebt {

template <class T>
TrainingLoop<T>::TrainingLoop(const ParameterLayout& layout, const OptimizerConfig& optimizer,
                              double step_size_rate, const RunSettings& run, Group& ranks)
    : run_(run),
      ranks_(&ranks),
      optimizer_(layout, optimizer, {{kStepSizeName, step_size_rate}}, ranks),
      schedule_{optimizer.learning_rate, optimizer.warmup_steps, run.steps,
                optimizer.final_fraction},
      clip_norm_(optimizer.clip_norm) {}

template <class T>
void TrainingLoop<T>::learn(ParameterBlock<T>& weights, const ParameterBlock<T>& gradients,
                            TrainingStep& report) {
  report.gradient_norm = optimizer_.gradient_norm(gradients);
  report.learning_rate = schedule_.at(progress_.step);
  report.skipped = !std::isfinite(report.loss) || !std::isfinite(report.gradient_norm);
  if (report.skipped) {
    ++progress_.bad_steps;
    ++progress_.skipped_steps;
  } else {
    progress_.bad_steps = 0;
    optimizer_.update(weights, gradients, report.learning_rate,
                      clip_scale(report.gradient_norm, clip_norm_));
  }
  ++progress_.step;
  report.step = progress_.step;
  report.steps = run_.steps;
  report.skipped_steps = progress_.skipped_steps;
  if (weights.layout().contains(kStepSizeName)) {
    report.step_size = static_cast<double>(weights.tensor(kStepSizeName)[0]);
  }
}

template <class T>
void TrainingLoop<T>::fail_as_diverged(const TrainingStep& report) const {
  const std::string cause =
      report.step_size.has_value()
          ? fmt::format(
                "the step size alpha ({:.4g}) is too large, or the learning rate ({:.4g}) too high",
                *report.step_size, schedule_.peak)
          : fmt::format("the learning rate ({:.4g}) is too high", schedule_.peak);
  const std::string what =
      progress_.bad_steps > 0
          ? fmt::format("loss or gradient were not finite {} steps in a row", progress_.bad_steps)
          : "the validation loss was not finite";
  fail("training stopped at step {} because {}; probably {}; '{}' keeps the last good checkpoint",
       progress_.step, what, cause, run_.out);
}

void check_holds_no_model(const RunSettings& run) {
  EBT_CHECK(!has_model(run.out),
            "'{}' holds a model already: resume it, or choose another folder with --out", run.out);
}

void check_steps_left(const RunSettings& run, int64_t taken) {
  EBT_CHECK(run.steps >= taken, "--steps: '{}' has taken {} steps already, and {} are fewer",
            run.out, taken, run.steps);
}

template class TrainingLoop<float>;
template class TrainingLoop<double>;

}  // namespace ebt
