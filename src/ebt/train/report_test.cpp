#include "ebt/train/report.h"

#include <gtest/gtest.h>

#include <limits>

#include "ebt/train/image_losses.h"
#include "ebt/train/text_losses.h"

namespace ebt {
namespace {

template <class Measured>
StepReport<Measured> some_step(const Measured& measured) {
  StepReport<Measured> report;
  report.step = 3;
  report.learning_rate = 0.5;
  report.gradient_norm = std::numeric_limits<double>::infinity();
  report.step_size = 4.0;
  report.skipped = true;
  report.seconds = 0.5;
  report.measured = measured;
  return report;
}

TextLosses text_losses() {
  TextLosses losses;
  losses.losses = {192.0, 128.0};
  losses.energies = {96.0, 64.0};
  losses.count = 64;
  losses.bytes = 512;
  return losses;
}

ImageLosses image_losses() {
  ImageLosses losses;
  losses.objective = 3;
  losses.losses = {0.08, 0.0008};
  losses.energies = {3.0, 1.0};
  losses.count = 2;
  return losses;
}

TEST(StepReport, OnTextBecomesALineOfMetrics) {
  StepReport<TextLosses> report = some_step(text_losses());
  report.loss = 2.5;
  report.per_second = 128;
  EXPECT_EQ(to_json(report).dump(),
            "{\"step\":3,\"loss\":2.5,\"nats_per_byte\":0.25,\"step_losses\":[3.0,2.0],"
            "\"energies\":[1.5,1.0],\"energy_gap\":0.5,\"learning_rate\":0.5,\"grad_norm\":null,"
            "\"alpha\":4.0,\"skipped\":true,\"tokens\":64,\"tokens_per_second\":128.0,"
            "\"seconds\":0.5}");
}

TEST(StepReport, OfTransformerPpHasNoEnergies) {
  StepReport<TextLosses> report;
  report.measured.losses = {3.0};
  report.measured.count = 1;
  report.measured.bytes = 1;
  EXPECT_EQ(report.measured.energy_gap(), 0.0);
  const Json line = to_json(report);
  for (const char* key : {"energies", "energy_gap", "alpha"}) {
    EXPECT_FALSE(line.contains(key)) << key;
  }
}

TEST(StepReport, OnImagesBecomesALineOfMetrics) {
  StepReport<ImageLosses> report = some_step(image_losses());
  report.loss = report.measured.loss();
  report.per_second = 4;
  EXPECT_EQ(to_json(report).dump(),
            "{\"step\":3,\"loss\":1.5,\"step_mse\":[0.04,0.0004],\"step_psnr\":[20.0,40.0],"
            "\"energies\":[1.5,0.5],\"energy_gap\":1.0,\"learning_rate\":0.5,\"grad_norm\":null,"
            "\"alpha\":4.0,\"skipped\":true,\"images\":2,\"images_per_second\":4.0,"
            "\"seconds\":0.5}");
}

TEST(StepReport, OfDitHasTheErrorOfItsNoiseAlone) {
  StepReport<ImageLosses> report;
  report.measured.arch = ImageArchitecture::kDit;
  report.measured.objective = 1;
  report.measured.losses = {0.5};
  report.measured.count = 2;
  EXPECT_TRUE(report.measured.psnr().empty());
  const Json line = to_json(report);
  EXPECT_EQ(line["noise_mse"], 0.25);
  for (const char* key : {"step_mse", "step_psnr", "energies", "energy_gap", "alpha"}) {
    EXPECT_FALSE(line.contains(key)) << key;
  }
}

TEST(ValidationReport, OnTextBecomesALineOfMetrics) {
  ValidationReport<TextLosses> report;
  report.step = 10;
  report.measured.count = 2;
  report.measured.bytes = 2;
  report.measured.losses = {4.0, 0.0};
  report.measured.energies = {2.0, 1.0};
  EXPECT_EQ(to_json(report).dump(),
            "{\"step\":10,\"val_loss\":0.0,\"val_step_losses\":[2.0,0.0],"
            "\"val_energies\":[1.0,0.5],\"val_perplexity\":1.0,\"val_bits_per_byte\":0.0,"
            "\"val_tokens\":2,\"seconds\":0.0}");
}

TEST(ValidationReport, OnImagesBecomesALineOfMetrics) {
  ValidationReport<ImageLosses> report;
  report.step = 10;
  report.measured = image_losses();
  EXPECT_EQ(to_json(report).dump(),
            "{\"step\":10,\"val_loss\":1.5,\"val_step_mse\":[0.04,0.0004],"
            "\"val_step_psnr\":[20.0,40.0],\"val_energies\":[1.5,0.5],\"val_images\":2,"
            "\"seconds\":0.0}");
}

}  // namespace
}  // namespace ebt
