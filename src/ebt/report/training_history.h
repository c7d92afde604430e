// The history of a run, read from its metrics.jsonl.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace ebt {

// Nats per token of a batch, after its last thinking step.
struct TrainingPoint {
  int64_t step = 0;
  double loss = 0;
  double seconds = 0;  // that the step took
};

struct ValidationPoint {
  int64_t step = 0;
  std::vector<double> losses;  // (K) nats per token after every thinking step
};

struct TrainingHistory {
  std::vector<TrainingPoint> training;
  std::vector<ValidationPoint> validation;
  double seconds = 0;  // of all training steps
  int64_t tokens = 0;  // trained on

  // Median over the steps; 0 without any.
  double seconds_per_step() const;
};

// Reads a metrics.jsonl. Lines that are no measurement (skipped steps, a last line that a killed
// run left incomplete) are passed over. Throws Error when the file cannot be read.
TrainingHistory read_training_history(const std::filesystem::path& metrics_file);

}  // namespace ebt
