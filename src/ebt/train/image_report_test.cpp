#include "ebt/train/image_report.h"

#include <gtest/gtest.h>

#include <limits>

namespace ebt {
namespace {

LossSums sums_of_two_images() {
  LossSums sums;
  sums.objective = 3;
  sums.losses = {0.08, 0.0008};
  sums.energies = {3.0, 1.0};
  sums.count = 2;
  return sums;
}

TEST(ImageStepReport, BecomesALineOfMetrics) {
  ImageStepReport report;
  report.step = 3;
  report.measured = ImageMeasurement::of(ImageArchitecture::kEbt, sums_of_two_images());
  report.loss = report.measured.loss;
  report.learning_rate = 0.5;
  report.gradient_norm = std::numeric_limits<double>::infinity();
  report.step_size = 4.0;
  report.skipped = true;
  report.seconds = 0.5;
  report.images_per_second = 4;
  EXPECT_EQ(to_json(report).dump(),
            "{\"step\":3,\"loss\":1.5,\"step_mse\":[0.04,0.0004],\"step_psnr\":[20.0,40.0],"
            "\"energies\":[1.5,0.5],\"energy_gap\":1.0,\"learning_rate\":0.5,\"grad_norm\":null,"
            "\"alpha\":4.0,\"skipped\":true,\"images\":2,\"images_per_second\":4.0,"
            "\"seconds\":0.5}");
}

TEST(ImageStepReport, OfABaselineHasTheErrorOfItsNoiseAlone) {
  LossSums sums;
  sums.objective = 1;
  sums.losses = {0.5};
  sums.count = 2;
  ImageStepReport report;
  report.measured = ImageMeasurement::of(ImageArchitecture::kDit, sums);
  EXPECT_TRUE(report.measured.psnr().empty());
  const Json line = to_json(report);
  EXPECT_EQ(line["noise_mse"], 0.25);
  for (const char* key : {"step_mse", "step_psnr", "energies", "energy_gap", "alpha"}) {
    EXPECT_FALSE(line.contains(key)) << key;
  }
}

TEST(ImageValidationReport, BecomesALineOfMetrics) {
  ImageValidationReport report;
  report.step = 10;
  report.measured = ImageMeasurement::of(ImageArchitecture::kEbt, sums_of_two_images());
  EXPECT_EQ(to_json(report).dump(),
            "{\"step\":10,\"val_loss\":1.5,\"val_step_mse\":[0.04,0.0004],"
            "\"val_step_psnr\":[20.0,40.0],\"val_energies\":[1.5,0.5],\"val_images\":2,"
            "\"seconds\":0.0}");
}

}  // namespace
}  // namespace ebt
