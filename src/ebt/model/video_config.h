// What a model of video is: causal predictions of the next frame's embedding, a vector.
#pragma once

#include "ebt/model/config.h"
#include "ebt/model/thinking_config.h"

namespace ebt {

// Frames are vectors of the model's width D.
struct VideoModelConfig : SequenceConfig {
  // Throws Error naming the first impossible field.
  void check() const { check_sequence(); }

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("arch", arch, "architecture: ebt, or transformer_pp for the baseline");
    visit("type", type, "how landscapes differ: default, time_embed, adaln, adaln_zero");
    visit("layers", layers, "transformer blocks");
    visit("width", width, "model width D, that of a frame's embedding");
    visit("heads", heads, "attention heads; must divide the width into even parts");
    visit("ffn-multiplier", ffn_multiplier, "feed-forward width as a multiple of the model width");
    visit("context", context, "frames of context S");
    visit("landscapes", landscapes,
          "energy landscapes; one per thinking step unless type is default");
    visit("norm-eps", norm_eps, "epsilon of the norms");
    visit("rope-theta", rope_theta, "base of the rotary frequencies");
  }
};

// Where thinking about the next frame starts.
enum class FirstFrame {
  kRandomNoise,  // N(0, initial_scale)
  kMostRecent,   // the frame before it
};
const EnumNames<FirstFrame>& enum_names(FirstFrame);

struct VideoThinkingConfig : ThinkingSettings {
  FirstFrame initial = FirstFrame::kMostRecent;
  double initial_scale = 1.0;  // standard deviation of random noise

  // Throws Error naming the first impossible field.
  void check() const;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("steps-min", steps_min, "fewest thinking steps per landscape, drawn per batch");
    visit("steps-max", steps_max, "most thinking steps per landscape, drawn per batch");
    visit("step-size", step_size, "initial step size alpha");
    visit("step-size-learnable", step_size_learnable, "learn alpha");
    visit("step-size-lr", step_size_lr,
          "alpha's learning rate over the model's; 0 means 3 * alpha");
    visit("step-size-spread", step_size_spread, "multiply alpha by U(1/x, x) for every frame");
    visit("detach", detach, "cut the gradient between thinking steps");
    visit("truncate", truncate, "loss and second order on the last step only");
    visit("langevin-noise", langevin_noise, "noise added to the frame before every step");
    visit("initial", initial, "initial prediction: random_noise or most_recent, the frame before");
    visit("initial-scale", initial_scale, "standard deviation of random noise");
  }
};

}  // namespace ebt
