// What a run on whole answers measures.
#pragma once

#include <vector>

#include "ebt/core/config_fields.h"
#include "ebt/model/infill_model.h"

namespace ebt {

struct InfillLosses : InfillSums {
  // What a validation is judged by: the cross-entropy after the last step.
  double loss() const { return mean_losses().back(); }
  // (K) shares after every step, of rows answered wholly and rightly and of unknown tokens.
  std::vector<double> solved() const;
  std::vector<double> accuracy() const;
  // (K) of rows before every step; empty for rivals.
  std::vector<double> row_energies() const;
};

// As report.h wants them.
inline const char* counted_name(const InfillLosses& /*measured*/) { return "tokens"; }
Json step_fields(const InfillLosses& measured);
Json validation_fields(const InfillLosses& measured);

}  // namespace ebt
