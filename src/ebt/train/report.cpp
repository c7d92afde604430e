#include "ebt/train/report.h"

#include <string>

namespace ebt::detail {

Json step_line(const TrainingStep& step, const LossSums& sums, const char* counted,
               const Json& fields) {
  Json line;
  line["step"] = step.step;
  line["loss"] = step.loss;
  line.update(fields);
  if (!sums.energies.empty()) {
    line["energies"] = sums.mean_energies();
    line["energy_gap"] = sums.energy_gap();
  }
  line["learning_rate"] = step.learning_rate;
  line["grad_norm"] = step.gradient_norm;
  if (step.step_size.has_value()) {
    line["alpha"] = *step.step_size;
  }
  line["skipped"] = step.skipped;
  line[counted] = sums.count;
  line[std::string(counted) + "_per_second"] = step.per_second;
  line["seconds"] = step.seconds;
  return line;
}

Json validation_line(int64_t step, double loss, int64_t count, const char* counted,
                     const Json& fields, double seconds) {
  Json line;
  line["step"] = step;
  line["val_loss"] = loss;
  line.update(fields);
  line[std::string("val_") + counted] = count;
  line["seconds"] = seconds;
  return line;
}

}  // namespace ebt::detail
