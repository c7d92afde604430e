// A training run on text, from a config or from where it was interrupted.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

#include "ebt/model/text_model.h"
#include "ebt/train/config.h"
#include "ebt/train/memory_plan.h"
#include "ebt/train/replay_buffer.h"
#include "ebt/train/report.h"
#include "ebt/train/training_loop.h"
#include "ebt/train/training_text.h"

namespace ebt {

using TrainingObserver = RunObserver<StepReport, ValidationReport>;

// Makes the model of a resolved config with its initial weights, for gradient passes of
// `run.micro_batch` rows.
template <class T>
using ModelFactory = std::function<std::unique_ptr<TextModel<T>>(const TrainConfig&)>;

// The factory of the engine's own models.
template <class T>
std::unique_ptr<TextModel<T>> make_training_model(const TrainConfig& config);

// Owns a run: its text, model, optimizer and folder (checkpoint.h). Everything it computes follows
// from the config alone, whatever the number of threads, and however often it was interrupted. Sets
// the number of OpenMP threads of the process. Who may write to the folder is the caller's care
// (io/folder_owner.h).
template <class T>
class Trainer {
 public:
  // Starts a run: writes the resolved config, the tokenizer's file and the first checkpoint to
  // config.run.out. The size of the vocabulary is the tokenizer's. Throws Error when the config is
  // impossible, text or memory do not suffice, or the folder holds a model already or cannot be
  // written.
  static Trainer start(const TrainConfig& config,
                       const ModelFactory<T>& make_model = make_training_model<T>);
  // Continues the run of a folder from its checkpoint, or from the beginning if it was interrupted
  // before the first, and writes what changes to its config. Throws Error when files are missing,
  // damaged or do not fit each other, the text is no longer the same, or more steps were taken than
  // are wanted; the folder is then as it was.
  static Trainer resume(const std::filesystem::path& folder, const RunChanges& changes = {},
                        const ModelFactory<T>& make_model = make_training_model<T>);

  // Takes the steps that are left, as TrainingLoop::run.
  bool run(const TrainingObserver& observer = {});

  // The resolved config.
  const TrainConfig& config() const { return config_; }
  // What was planned before memory was taken.
  const MemoryPlan& memory_plan() const { return plan_; }
  const TrainingProgress& progress() const { return loop_.progress(); }
  const TrainingText& text() const { return text_; }
  TextModel<T>& model() { return *model_; }

 private:
  // What is made before a run starts or resumes.
  struct Parts {
    TrainConfig config;
    TrainingText text;
    MemoryPlan plan;
    std::unique_ptr<TextModel<T>> model;
  };
  // Throws Error with the plan when it does not fit.
  static Parts make_parts(TrainConfig config, const Tokenizer& tokenizer,
                          const ModelFactory<T>& make_model, bool choose_micro_batch);
  explicit Trainer(Parts parts);

  StepReport take_step();
  ValidationReport validate();
  // Adds the gradients of the first `count` rows, one micro-batch at a time.
  LossSums add_gradients(ThoughtRows<T>& rows, int64_t count, bool replayed,
                         double inverse_token_count);
  // The initial weights, where they are another model's.
  void load_base();
  Checkpoint<T> checkpoint() { return loop_.checkpoint(model_->weights(), &replay_); }

  TrainConfig config_;
  MemoryPlan plan_;
  std::unique_ptr<TextModel<T>> model_;
  TrainingText text_;
  TrainingLoop<T> loop_;
  ReplayBuffer<T> replay_;
  ThoughtRows<T> fresh_;     // (batch)
  ThoughtRows<T> replayed_;  // (batch / 2)
};

}  // namespace ebt
