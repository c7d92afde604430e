// Models that are trained as a part of an experiment.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "ebt/train/text_train_config.h"

namespace ebt {

// How an experiment names who learns: an EBT by its recipe (train/recipes.h), or the baseline.
inline constexpr char kTransformerPpLearner[] = "transformer_pp";

// "EBT S2" of "s2", "Transformer++" of "transformer_pp".
std::string learner_in_words(const std::string& learner);

// The config of such a learner, everything else as a run has it. Throws Error for any other name.
TextTrainConfig learner_config(const std::string& learner);

// Of learners whose width is chosen: heads are as many as fit.
inline constexpr int64_t kLearnerHeadWidth = 32;

// What watches a long job, and may end it early. Neither function is empty.
struct JobWatch {
  std::function<void(const std::string& what, double share_done)> on_progress;
  std::function<bool()> stop_requested;
};

// The watch of a part of a job: it begins at `begin` of the whole and takes `share` of it.
JobWatch part_of(const JobWatch& watch, double begin, double share);

struct TrainedLearner {
  double seconds = 0;           // of all training steps
  double seconds_per_step = 0;  // median
  double flops = 0;             // of all training steps (train/flops.h)
  double validation_loss =
      0;  // nats per token after the last thinking step, at the end of training
  int64_t parameters = 0;
  int64_t tokens = 0;  // that carried loss, over all steps
};

// Trains the model of `config` in `folder`, or goes on from the last checkpoint there. Nothing when
// it was asked to stop: it is saved then. Throws Error as Trainer does.
std::optional<TrainedLearner> train_learner(TextTrainConfig config,
                                            const std::filesystem::path& folder,
                                            const JobWatch& watch);

}  // namespace ebt
