#include "ebt/train/run_settings.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <vector>

#include "ebt/core/config_check.h"
#include "ebt/core/error.h"
#include "ebt/model/config.h"
#include "ebt/train/grains.h"

namespace ebt {
namespace {

constexpr int64_t kMostSteps = 1'000'000'000'000;

// Also refuses what is not a number.
void check_not_negative(const char* flag, double value) {
  EBT_CHECK(value >= 0 && std::isfinite(value), "{}: {} is not a number from 0", flag, value);
}

}  // namespace

void OptimizerConfig::check() const {
  check_not_negative("--learning-rate", learning_rate);
  check_between("--warmup-steps", warmup_steps, -1, kMostSteps);
  EBT_CHECK(final_fraction >= 0 && final_fraction <= 1, "--final-fraction: {} is not in [0, 1]",
            final_fraction);
  check_share("--beta1", beta1);
  check_share("--beta2", beta2);
  EBT_CHECK(epsilon > 0 && std::isfinite(epsilon), "--epsilon: {} is not a number above 0",
            epsilon);
  check_not_negative("--weight-decay", weight_decay);
  check_not_negative("--clip-norm", clip_norm);
}

void RunSettings::check() const {
  constexpr int64_t kMostRows = 1'000'000;
  check_between("--steps", steps, 1, kMostSteps);
  check_between("--batch", batch, 1, kMostRows);
  check_between("--micro-batch", micro_batch, 0, kMostRows);
  check_between("--threads", threads, 0, kMostThreads);
  check_grains(grains, batch);
  precision_of(precision);
  check_between("--validate-every", validate_every, 1, kMostSteps);
  check_between("--checkpoint-every", checkpoint_every, 1, kMostSteps);
  check_between("--max-bad-steps", max_bad_steps, 1, kMostSteps);
  EBT_CHECK(!out.empty(), "--out: the name of the folder is empty");
}

void RunSettings::resolve(double default_rate, OptimizerConfig& optimizer) {
  constexpr int64_t kLongestWarmup = 1000;
  if (optimizer.learning_rate == 0) {
    optimizer.learning_rate = default_rate;
  }
  if (optimizer.warmup_steps == -1) {
    optimizer.warmup_steps = std::min(steps / 10, kLongestWarmup);
  }
  const int64_t most_rows = batch / grains;
  if (micro_batch == 0 || micro_batch > most_rows) {
    micro_batch = most_rows;
  }
  precision = precision_name(precision_of(precision));
  from = absolute_path(from);
}

void RunChanges::apply_to(RunSettings& run, std::string& data_path) const {
  run.steps = steps.value_or(run.steps);
  run.validate_every = validate_every.value_or(run.validate_every);
  run.checkpoint_every = checkpoint_every.value_or(run.checkpoint_every);
  data_path = absolute_path(data.value_or(data_path));
}

double default_learning_rate(int64_t layers, int64_t width, int64_t heads) {
  const std::vector<ModelSize>& sizes = model_sizes();
  const ModelSize* smaller = nullptr;
  const ModelSize* larger = nullptr;
  for (const ModelSize& size : sizes) {
    if (size.layers == layers && size.width == width && size.heads == heads) {
      return size.learning_rate;
    }
    if (size.width <= width && (smaller == nullptr || size.width >= smaller->width)) {
      smaller = &size;
    }
    if (size.width > width && (larger == nullptr || size.width < larger->width)) {
      larger = &size;
    }
  }
  if (smaller == nullptr || larger == nullptr) {
    return (smaller == nullptr ? larger : smaller)->learning_rate;
  }
  const auto log_width = [](int64_t of) { return std::log(static_cast<double>(of)); };
  const double share = (log_width(width) - log_width(smaller->width)) /
                       (log_width(larger->width) - log_width(smaller->width));
  return smaller->learning_rate * std::pow(larger->learning_rate / smaller->learning_rate, share);
}

std::string absolute_path(const std::string& path) {
  return path.empty() ? path : std::filesystem::absolute(path).lexically_normal().string();
}

}  // namespace ebt
