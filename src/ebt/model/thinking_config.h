// The config of thinking in training: the S1 and S2 recipes are two settings of these structs.
#pragma once

#include <cstdint>

#include "ebt/core/enum_names.h"

namespace ebt {

enum class InitialPrediction { kRandomNoise, kZeros };
const EnumNames<InitialPrediction>& enum_names(InitialPrediction);

// What every way of thinking has in common, whatever a candidate is.
struct ThinkingSettings {
  // Thinking steps per landscape are drawn uniformly from {steps_min .. steps_max} for every batch.
  // S1 has 1..1 on several landscapes; S2 has 2..3 on one.
  int64_t steps_min = 1;
  int64_t steps_max = 1;
  double step_size = 0.0;  // alpha at the start; 0: chosen for the model (docs/architecture.md)
  bool step_size_learnable = true;
  double step_size_lr = 0.0;      // learning rate of alpha over the model's; 0: 3 * alpha
  double step_size_spread = 1.0;  // alpha times U(1/spread, spread) per candidate; 1: not random
  bool detach = true;             // cut the gradient between thinking steps
  bool truncate = false;          // loss and second order on the last step only
  // Last steps that anything is learned from, earlier ones being constants, alpha's part in them
  // too; 0: all. With truncate, second order is then on all of these.
  int64_t learned_steps = 0;
  double langevin_noise = 0.0;  // standard deviation added to the candidate before every step

  // Whether what a step ends in carries gradient to the step before. Not when steps are detached;
  // and when only the last step counts, earlier ones matter to nothing but alpha, and so not if
  // that is fixed.
  bool gradient_crosses_steps() const {
    return !detach && learned_steps != 1 && (!truncate || step_size_learnable || learned_steps > 1);
  }

 protected:
  // Throws Error naming the first impossible field.
  void check_settings() const;
};

// Of models whose candidates are tokens.
struct TextThinkingConfig : ThinkingSettings {
  InitialPrediction initial = InitialPrediction::kRandomNoise;
  double initial_scale = 1.0;   // standard deviation of the initial logits
  double contrastive = 0.0;     // weight of the contrastive term
  double clamp_gradient = 0.0;  // largest change of a prediction per step; 0: not clamped
  double soften_targets = 0.0;  // label smoothing of the first step, falling to 0 at the last
  int64_t replay_rows = 0;      // rows of the replay buffer; 0: none

  // Throws Error naming the first impossible field.
  void check() const;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("steps-min", steps_min, "fewest thinking steps per landscape, drawn per batch");
    visit("steps-max", steps_max, "most thinking steps per landscape, drawn per batch");
    visit("step-size", step_size, "initial step size alpha; 0 chooses one for the model");
    visit("step-size-learnable", step_size_learnable, "learn alpha");
    visit("step-size-lr", step_size_lr,
          "alpha's learning rate over the model's; 0 means 3 * alpha");
    visit("step-size-spread", step_size_spread, "multiply alpha by U(1/x, x) at every position");
    visit("detach", detach, "cut the gradient between thinking steps");
    visit("truncate", truncate, "loss and second order on the last step only");
    visit("langevin-noise", langevin_noise, "noise added to the logits before every step");
    visit("initial", initial, "initial prediction: random_noise or zeros");
    visit("initial-scale", initial_scale, "standard deviation of the initial logits");
    visit("contrastive", contrastive, "weight of the contrastive term; 0 is off");
    visit("clamp-gradient", clamp_gradient, "largest change of a prediction per step; 0 is off");
    visit("soften-targets", soften_targets, "label smoothing of the first step, 0 at the last");
    visit("replay-rows", replay_rows, "rows of the replay buffer; 0 is none");
  }
};

// Step sizes below this are raised to it, as in the published implementation.
inline constexpr double kSmallestStepSize = 1e-4;

}  // namespace ebt
