#include "lab/learner.h"

#include <fmt/format.h>
#include <omp.h>

#include "ebt/core/error.h"
#include "ebt/io/folder_owner.h"
#include "ebt/model/model_folder.h"
#include "ebt/report/training_history.h"
#include "ebt/train/flops.h"
#include "ebt/train/metrics_log.h"
#include "ebt/train/recipes.h"
#include "ebt/train/text_task.h"

namespace ebt {

std::string learner_in_words(const std::string& learner) {
  if (learner == kTransformerPpLearner) {
    return "Transformer++";
  }
  return learner == "s1" ? "EBT S1" : learner == "s2" ? "EBT S2" : learner;
}

TextTrainConfig learner_config(const std::string& learner) {
  TextTrainConfig config;
  if (learner == kTransformerPpLearner) {
    config.model.arch = Architecture::kTransformerPp;
  } else {
    EBT_CHECK(learner == "s1" || learner == "s2",
              "a learner must be transformer_pp, s1 or s2, not '{}'", learner);
    apply_recipe(learner, config);
  }
  return config;
}

JobWatch part_of(const JobWatch& watch, double begin, double share) {
  return {[on_progress = watch.on_progress, begin, share](const std::string& what, double done) {
            on_progress(what, begin + share * done);
          },
          watch.stop_requested};
}

std::optional<TrainedLearner> train_learner(TextTrainConfig config,
                                            const std::filesystem::path& folder,
                                            const JobWatch& watch) {
  config.run.out = folder.string();
  config.run.threads = omp_get_max_threads();
  config.run.validate_every = config.run.steps;
  const FolderOwner owner = FolderOwner::take(folder);
  const bool started = std::filesystem::exists(folder / kConfigFile);
  TextTrainer<float> trainer =
      started ? TextTrainer<float>::resume(folder, {.threads = config.run.threads})
              : TextTrainer<float>::start(config);
  TextObserver observer;
  observer.on_step = [&](const TextStepReport& report) {
    watch.on_progress(fmt::format("training, loss {:.3f}", report.loss),
                      static_cast<double>(report.step) / static_cast<double>(report.steps));
  };
  observer.interrupted = watch.stop_requested;
  if (!trainer.run(observer)) {
    return std::nullopt;
  }
  const TrainingHistory history = read_training_history(folder / kMetricsFile);
  TrainedLearner trained;
  trained.seconds = history.seconds;
  trained.seconds_per_step = history.seconds_per_step();
  trained.flops = training_flops(trainer.config(), trainer.config().run.steps).total();
  trained.tokens = history.tokens;
  trained.parameters = trainer.model().layout().count();
  if (!history.validation.empty()) {
    trained.validation_loss = history.validation.back().losses.back();
  }
  return trained;
}

}  // namespace ebt
