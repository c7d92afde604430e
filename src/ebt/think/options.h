// How to think when nothing is being learned. The library, the commands and the server share this.
#pragma once

#include <cstdint>

#include "ebt/core/enum_names.h"

namespace ebt {

inline constexpr int64_t kMaxCandidates = 1024;
inline constexpr int64_t kMaxThinkSteps = 100'000;

// Which landscapes a setting is meant for.
enum class Landscapes { kAll, kFinal };
const EnumNames<Landscapes>& enum_names(Landscapes);
// Which thinking steps get Langevin noise.
enum class NoisySteps { kAll, kFirst };
const EnumNames<NoisySteps>& enum_names(NoisySteps);
// Which of several candidates is kept: that of least or largest final energy, or that whose energy
// fell most from its first value.
enum class CandidateChoice { kMin, kMax, kDrop };
const EnumNames<CandidateChoice>& enum_names(CandidateChoice);

struct ThinkOptions {
  // Steps on a landscape; 0: as many as in training. A baseline does not think and ignores all of
  // this.
  int64_t steps = 0;
  // Landscapes that `steps` is meant for; with kFinal the others are visited as in training.
  Landscapes steps_on = Landscapes::kFinal;
  double step_size = 0;                        // alpha; 0: the model's own
  double step_size_scale = 1;                  // multiplies alpha
  Landscapes step_size_on = Landscapes::kAll;  // landscapes that these two are meant for
  double langevin_noise = 0;  // standard deviation of what is added to the logits before a step
  NoisySteps langevin_on = NoisySteps::kAll;
  bool accept_lower = false;  // take a step only where the energy falls
  // Stop thinking about a token when, on the final landscape, its energy has changed by less than
  // this from step to step, `stop_patience` times in a row; 0: never.
  double stop_change = 0;
  int64_t stop_patience = 1;
  int64_t candidates = 1;  // independent thoughts about each token, of which one is kept
  CandidateChoice choose = CandidateChoice::kMin;
  // Most thinking steps for a whole text, over all its tokens and candidates; 0: no limit. A
  // thought is cut short where it reaches the limit, and generation ends there.
  int64_t budget = 0;
  uint64_t seed = 0;  // of initial noise and Langevin noise

  // Throws Error naming the first impossible field.
  void check() const;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("think-steps", steps, "thinking steps on a landscape; 0 takes as many as in training");
    visit("think-on", steps_on,
          "landscapes that --think-steps is meant for: all, or final (others as in training)");
    visit("step-size", step_size, "step size alpha; 0 takes the model's own");
    visit("step-size-scale", step_size_scale, "multiplies the step size");
    visit("step-size-on", step_size_on, "landscapes that these two are meant for: all or final");
    visit("langevin-noise", langevin_noise, "noise added to the logits before a step");
    visit("langevin-on", langevin_on, "steps that get this noise: all or first");
    visit("accept-lower", accept_lower, "take a step only where the energy falls");
    visit("stop-change", stop_change,
          "stop when a step changes the energy by less than this; 0 never stops early");
    visit("stop-patience", stop_patience, "steps in a row that must change it so little");
    visit("candidates", candidates, "independent thoughts about each token, of which one is kept");
    visit("choose", choose,
          "which: min or max of the final energy, or drop, the largest fall of the energy");
    visit("think-budget", budget,
          "most thinking steps for a whole text, over tokens and candidates; 0 has no limit");
  }
};

}  // namespace ebt
