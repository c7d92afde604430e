#include "ebt/train/report.h"

namespace ebt {

double StepReport::energy_gap() const {
  return energies.empty() ? 0.0 : energies.front() - energies.back();
}

void add_optimizer_fields(const TrainingStep& report, Json& line) {
  line["learning_rate"] = report.learning_rate;
  line["grad_norm"] = report.gradient_norm;
  if (report.step_size.has_value()) {
    line["alpha"] = *report.step_size;
  }
  line["skipped"] = report.skipped;
}

Json to_json(const StepReport& report) {
  Json line;
  line["step"] = report.step;
  line["loss"] = report.loss;
  line["nats_per_byte"] = report.nats_per_byte;
  line["step_losses"] = report.step_losses;
  if (!report.energies.empty()) {
    line["energies"] = report.energies;
    line["energy_gap"] = report.energy_gap();
  }
  add_optimizer_fields(report, line);
  line["tokens"] = report.tokens;
  line["tokens_per_second"] = report.tokens_per_second;
  line["seconds"] = report.seconds;
  return line;
}

Json to_json(const ValidationReport& report) {
  const Evaluation& evaluation = report.evaluation;
  Json line;
  line["step"] = report.step;
  line["val_loss"] = evaluation.loss();
  line["val_step_losses"] = evaluation.losses();
  if (!evaluation.total_energy.empty()) {
    line["val_energies"] = evaluation.energies();
  }
  line["val_perplexity"] = evaluation.perplexity();
  line["val_bits_per_byte"] = evaluation.bits_per_byte();
  line["val_tokens"] = evaluation.tokens;
  line["seconds"] = report.seconds;
  return line;
}

}  // namespace ebt
