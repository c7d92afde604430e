#include "ebt/train/report.h"

#include <gtest/gtest.h>

#include <limits>

namespace ebt {
namespace {

TEST(StepReport, BecomesALineOfMetrics) {
  StepReport report;
  report.step = 3;
  report.loss = 2.5;
  report.nats_per_byte = 2.25;
  report.step_losses = {3.0, 2.0};
  report.energies = {1.5, 1.0};
  report.learning_rate = 0.5;
  report.gradient_norm = std::numeric_limits<double>::infinity();
  report.step_size = 4.0;
  report.skipped = true;
  report.tokens = 64;
  report.seconds = 0.5;
  report.tokens_per_second = 128;
  EXPECT_EQ(to_json(report).dump(),
            "{\"step\":3,\"loss\":2.5,\"nats_per_byte\":2.25,\"step_losses\":[3.0,2.0],"
            "\"energies\":[1.5,1.0],\"energy_gap\":0.5,\"learning_rate\":0.5,\"grad_norm\":null,"
            "\"alpha\":4.0,\"skipped\":true,\"tokens\":64,\"tokens_per_second\":128.0,"
            "\"seconds\":0.5}");
}

TEST(StepReport, OfABaselineHasNoEnergies) {
  StepReport report;
  report.step_losses = {3.0};
  EXPECT_EQ(report.energy_gap(), 0.0);
  EXPECT_FALSE(to_json(report).contains("energies"));
  EXPECT_FALSE(to_json(report).contains("alpha"));
}

TEST(ValidationReport, BecomesALineOfMetrics) {
  ValidationReport report;
  report.step = 10;
  report.evaluation.tokens = 2;
  report.evaluation.bytes = 2;
  report.evaluation.total_nats = {4.0, 0.0};
  report.evaluation.total_energy = {2.0, 1.0};
  EXPECT_EQ(to_json(report).dump(),
            "{\"step\":10,\"val_loss\":0.0,\"val_step_losses\":[2.0,0.0],"
            "\"val_energies\":[1.0,0.5],\"val_perplexity\":1.0,\"val_bits_per_byte\":0.0,"
            "\"val_tokens\":2,\"seconds\":0.0}");
}

}  // namespace
}  // namespace ebt
