#include "ebt/train/image_report.h"

#include <cmath>
#include <string>

namespace ebt {
namespace {

std::vector<double> means(std::vector<double> sums, int64_t count) {
  for (double& sum : sums) {
    sum /= static_cast<double>(count);
  }
  return sums;
}

// The fields that steps and validations have alike, each under its name with this before it.
void add_measurement(const ImageMeasurement& measured, const std::string& prefix, Json& line) {
  line[prefix + "loss"] = measured.loss;
  if (measured.arch == ImageArchitecture::kDit) {
    line[prefix + "noise_mse"] = measured.squared_errors.back();
    return;
  }
  line[prefix + "step_mse"] = measured.squared_errors;
  line[prefix + "step_psnr"] = measured.psnr();
  line[prefix + "energies"] = measured.energies;
}

}  // namespace

ImageMeasurement ImageMeasurement::of(ImageArchitecture arch, const LossSums& sums) {
  ImageMeasurement result;
  result.arch = arch;
  result.loss = sums.objective / static_cast<double>(sums.count);
  result.squared_errors = means(sums.losses, sums.count);
  result.energies = means(sums.energies, sums.count);
  result.images = sums.count;
  return result;
}

std::vector<double> ImageMeasurement::psnr() const {
  // Pixels span 2.
  constexpr double kSquaredPeak = 4.0;
  std::vector<double> decibels;
  if (arch == ImageArchitecture::kEbt) {
    for (const double error : squared_errors) {
      decibels.push_back(10.0 * std::log10(kSquaredPeak / error));
    }
  }
  return decibels;
}

double ImageMeasurement::energy_gap() const {
  return energies.empty() ? 0.0 : energies.front() - energies.back();
}

Json to_json(const ImageStepReport& report) {
  Json line;
  line["step"] = report.step;
  add_measurement(report.measured, "", line);
  if (!report.measured.energies.empty()) {
    line["energy_gap"] = report.measured.energy_gap();
  }
  add_optimizer_fields(report, line);
  line["images"] = report.measured.images;
  line["images_per_second"] = report.images_per_second;
  line["seconds"] = report.seconds;
  return line;
}

Json to_json(const ImageValidationReport& report) {
  Json line;
  line["step"] = report.step;
  add_measurement(report.measured, "val_", line);
  line["val_images"] = report.measured.images;
  line["seconds"] = report.seconds;
  return line;
}

}  // namespace ebt
