// The config of an image model: everything needed to rebuild its shapes, stored with its weights.
#pragma once

#include <cstdint>

#include "ebt/core/enum_names.h"
#include "ebt/model/thinking_config.h"

namespace ebt {

enum class ImageArchitecture {
  kEbt,  // the energy of an image, which thinking descends
  kDit,  // the diffusion transformer it is compared with (Peebles and Xie, 2023)
};
const EnumNames<ImageArchitecture>& enum_names(ImageArchitecture);

// Images (C, height, width) are cut into patches of P x P pixels, T in all, one token each.
struct ImageModelConfig {
  ImageArchitecture arch = ImageArchitecture::kEbt;
  int64_t image_height = 32;  // pixels
  int64_t image_width = 32;
  int64_t channels = 3;  // C: 3 is RGB, 1 is grey
  int64_t patch = 4;     // P, pixels; divides height and width
  int64_t layers = 2;
  int64_t width = 128;  // D; divisible by 4
  int64_t heads = 2;    // H
  double ffn_multiplier = 4.0;
  double norm_eps = 1e-6;

  int64_t ffn_width() const {
    return static_cast<int64_t>(static_cast<double>(width) * ffn_multiplier);
  }
  int64_t head_width() const { return width / heads; }
  int64_t patch_rows() const { return image_height / patch; }
  int64_t patch_columns() const { return image_width / patch; }
  int64_t patches() const { return patch_rows() * patch_columns(); }  // T
  int64_t patch_size() const { return channels * patch * patch; }     // values of a patch
  int64_t image_size() const { return channels * image_height * image_width; }

  // Throws Error naming the first impossible field.
  void check() const;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("arch", arch, "architecture: ebt, or dit for the diffusion baseline");
    visit("image-height", image_height, "height of an image in pixels");
    visit("image-width", image_width, "width of an image in pixels");
    visit("channels", channels, "3 for colour, 1 for grey");
    visit("patch", patch, "side of a patch in pixels; must divide height and width");
    visit("layers", layers, "transformer blocks");
    visit("width", width, "model width D, a multiple of 4");
    visit("heads", heads, "attention heads; must divide the width");
    visit("ffn-multiplier", ffn_multiplier, "feed-forward width as a multiple of the model width");
    visit("norm-eps", norm_eps, "epsilon of the norms");
  }
};

// How an image EBT thinks while it is trained. Thinking starts at the noisy image.
struct ImageThinkingConfig : ThinkingSettings {
  ImageThinkingConfig() { step_size = 3000.0; }

  // Throws Error naming the first impossible field.
  void check() const;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("steps-min", steps_min, "fewest thinking steps, drawn per batch");
    visit("steps-max", steps_max, "most thinking steps, drawn per batch");
    visit("step-size", step_size, "initial step size alpha");
    visit("step-size-learnable", step_size_learnable, "learn alpha");
    visit("step-size-lr", step_size_lr,
          "alpha's learning rate over the model's; 0 means 3 * alpha");
    visit("step-size-spread", step_size_spread, "multiply alpha by U(1/x, x) for every image");
    visit("detach", detach, "cut the gradient between thinking steps");
    visit("truncate", truncate, "loss and second order on the last step only");
    visit("langevin-noise", langevin_noise, "noise added to the image before every step");
  }
};

}  // namespace ebt
