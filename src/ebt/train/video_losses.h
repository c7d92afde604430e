// What a run on video measures.
#pragma once

#include "ebt/core/config_fields.h"
#include "ebt/model/loss_sums.h"

namespace ebt {

// Summed over foretold frames: mean squared errors of their values after every thinking step, and
// the smooth L1 that is minimised.
struct VideoLosses : LossSums {
  double loss() const { return mean_objective(); }
};

// As report.h wants them.
inline const char* counted_name(const VideoLosses& /*measured*/) { return "frames"; }
Json step_fields(const VideoLosses& measured);
Json validation_fields(const VideoLosses& measured);

}  // namespace ebt
