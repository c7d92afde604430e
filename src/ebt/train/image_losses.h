// What a run on images measures.
#pragma once

#include <vector>

#include "ebt/core/config_fields.h"
#include "ebt/model/image_config.h"
#include "ebt/model/loss_sums.h"

namespace ebt {

// Summed over images: mean squared errors per pixel in [-1, 1], of the EBT's image after every
// thinking step, of DiT's prediction of the noise.
struct ImageLosses : LossSums {
  ImageArchitecture arch = ImageArchitecture::kEbt;

  // What training minimises.
  double loss() const { return mean_objective(); }
  // (K) decibels after every thinking step, of pixels neither clamped nor rounded, from the mean of
  // the squared errors; empty for DiT.
  std::vector<double> psnr() const;
};

// As report.h wants them.
inline const char* counted_name(const ImageLosses& /*measured*/) { return "images"; }
Json step_fields(const ImageLosses& measured);
Json validation_fields(const ImageLosses& measured);

}  // namespace ebt
