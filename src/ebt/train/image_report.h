// What a run on images measures: report.h for text.
#pragma once

#include <cstdint>
#include <vector>

#include "ebt/core/config_fields.h"
#include "ebt/model/image_config.h"
#include "ebt/model/image_model.h"
#include "ebt/train/report.h"

namespace ebt {

// Means over images.
struct ImageMeasurement {
  ImageArchitecture arch = ImageArchitecture::kEbt;
  double loss = 0;  // what training minimises
  // Per pixel in [-1, 1]: of the EBT's image after every thinking step (K), of DiT's prediction of
  // the noise (1).
  std::vector<double> squared_errors;
  std::vector<double> energies;  // (K) before every thinking step; empty for DiT
  int64_t images = 0;

  // Of at least one image.
  static ImageMeasurement of(ImageArchitecture arch, const LossSums& sums);
  // (K) decibels after every thinking step, of pixels neither clamped nor rounded, from the mean of
  // the squared errors; empty for DiT.
  std::vector<double> psnr() const;
  // How far the energy falls from the first thinking step to the last; 0 with fewer than two.
  double energy_gap() const;
};

// A step on images.
struct ImageStepReport : TrainingStep {
  ImageMeasurement measured;
  double images_per_second = 0;  // by the clock
};

// One validation.
struct ImageValidationReport {
  int64_t step = 0;  // steps taken
  ImageMeasurement measured;
  double seconds = 0;  // that it took

  double loss() const { return measured.loss; }
};

// The lines of metrics.jsonl. All fields but "seconds" and "images_per_second" are the same in
// every run of one config; a number that is not finite is null.
Json to_json(const ImageStepReport& report);
Json to_json(const ImageValidationReport& report);

}  // namespace ebt
