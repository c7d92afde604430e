#include "ebt/train/image_losses.h"

#include <cmath>
#include <string>

namespace ebt {
namespace {

// The fields that steps and validations have alike, each under its name with this before it.
Json fields_of(const ImageLosses& measured, const std::string& prefix) {
  const std::vector<double> errors = measured.mean_losses();
  Json line;
  if (measured.arch == ImageArchitecture::kDit) {
    line[prefix + "noise_mse"] = errors.back();
  } else {
    line[prefix + "step_mse"] = errors;
    line[prefix + "step_psnr"] = measured.psnr();
  }
  return line;
}

}  // namespace

std::vector<double> ImageLosses::psnr() const {
  // Pixels span 2.
  constexpr double kSquaredPeak = 4.0;
  std::vector<double> decibels;
  if (arch == ImageArchitecture::kEbt) {
    for (const double error : mean_losses()) {
      decibels.push_back(10.0 * std::log10(kSquaredPeak / error));
    }
  }
  return decibels;
}

Json step_fields(const ImageLosses& measured) { return fields_of(measured, ""); }

Json validation_fields(const ImageLosses& measured) {
  Json line = fields_of(measured, "val_");
  if (!measured.energies.empty()) {
    line["val_energies"] = measured.mean_energies();
  }
  return line;
}

}  // namespace ebt
