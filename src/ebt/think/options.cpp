#include "ebt/think/options.h"

#include <cmath>

#include "ebt/core/error.h"

namespace ebt {

const EnumNames<NoisySteps>& enum_names(NoisySteps) {
  static const EnumNames<NoisySteps> kNames = {{"all", NoisySteps::kAll},
                                               {"first", NoisySteps::kFirst}};
  return kNames;
}

const EnumNames<Landscapes>& enum_names(Landscapes) {
  static const EnumNames<Landscapes> kNames = {{"all", Landscapes::kAll},
                                               {"final", Landscapes::kFinal}};
  return kNames;
}

const EnumNames<CandidateChoice>& enum_names(CandidateChoice) {
  static const EnumNames<CandidateChoice> kNames = {{"min", CandidateChoice::kMin},
                                                    {"max", CandidateChoice::kMax},
                                                    {"drop", CandidateChoice::kDrop}};
  return kNames;
}

void ThinkOptions::check() const {
  EBT_CHECK(steps >= 0, "think-steps: {} is negative", steps);
  EBT_CHECK(step_size >= 0 && std::isfinite(step_size), "step-size: {} is not a number from 0",
            step_size);
  EBT_CHECK(step_size_scale > 0 && std::isfinite(step_size_scale),
            "step-size-scale: {} is not a number above 0", step_size_scale);
  EBT_CHECK(langevin_noise >= 0 && std::isfinite(langevin_noise),
            "langevin-noise: {} is not a number from 0", langevin_noise);
  EBT_CHECK(stop_change >= 0 && std::isfinite(stop_change),
            "stop-change: {} is not a number from 0", stop_change);
  EBT_CHECK(stop_patience >= 1, "stop-patience: {} is not a whole number from 1", stop_patience);
  EBT_CHECK(candidates >= 1 && candidates <= kMaxCandidates,
            "candidates: {} is not a whole number from 1 to {}", candidates, kMaxCandidates);
  EBT_CHECK(steps <= kMaxThinkSteps, "think-steps: {} is more than {}", steps, kMaxThinkSteps);
  EBT_CHECK(budget >= 0, "think-budget: {} is negative", budget);
}

}  // namespace ebt
