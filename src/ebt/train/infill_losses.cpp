#include "ebt/train/infill_losses.h"

#include <string>

namespace ebt {
namespace {

template <class Sum>
std::vector<double> shares(const std::vector<Sum>& sums, int64_t of) {
  std::vector<double> result;
  for (const Sum sum : sums) {
    result.push_back(static_cast<double>(sum) / static_cast<double>(of));
  }
  return result;
}

// The fields that steps and validations have alike, each under its name with this before it.
Json fields_of(const InfillLosses& measured, const std::string& prefix) {
  Json line;
  line[prefix + "step_losses"] = measured.mean_losses();
  line[prefix + "step_accuracy"] = measured.accuracy();
  line[prefix + "step_solved"] = measured.solved();
  if (!measured.energies.empty()) {
    line[prefix + "energies"] = measured.row_energies();
  }
  return line;
}

}  // namespace

std::vector<double> InfillLosses::solved() const { return shares(right_rows, rows); }
std::vector<double> InfillLosses::accuracy() const { return shares(right_tokens, count); }
std::vector<double> InfillLosses::row_energies() const { return shares(energies, rows); }

Json step_fields(const InfillLosses& measured) {
  Json line = fields_of(measured, "");
  if (measured.ranking > 0) {
    line["ranking"] = measured.ranking;
  }
  return line;
}

Json validation_fields(const InfillLosses& measured) { return fields_of(measured, "val_"); }

}  // namespace ebt
