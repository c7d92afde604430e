// A training run, from a config or from where it was interrupted, whatever is learned.
#pragma once

#include <algorithm>
#include <concepts>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "ebt/core/threads.h"
#include "ebt/io/folder.h"
#include "ebt/kernels/elementwise.h"
#include "ebt/train/base_model.h"
#include "ebt/train/grains.h"
#include "ebt/train/memory_plan.h"
#include "ebt/train/report.h"
#include "ebt/train/training_loop.h"

namespace ebt {

// What is learned: a kind of data, a model of it and what is measured. text_task.h is one.
//   Scalar         what weights are
//   Config         of a run, in parts: model, thinking, optimizer, data, run; kKind names it in
//                  config.json
//   Model          with weights, gradients and layout
//   Measured       see report.h
//   Data           what the run learns from, and what of it a model's folder keeps
template <class Task>
concept TrainingTask = requires(Task& task, const Task& same, typename Task::Config& config,
                                const typename Task::Config& resolved, typename Task::Data& data,
                                typename Task::Model& model, const DataIdentity& trained_on,
                                typename Task::Measured& measured, const std::string& folder) {
  // Of a run that starts: writes into its config what follows from its data, as the size of a
  // vocabulary, which may have to be opened for it. Of one that goes on: what its folder keeps.
  { Task::begin(config) } -> std::same_as<typename Task::Data>;
  { Task::load(folder) } -> std::same_as<typename Task::Data>;
  // Opens it unless it is open, as a config wants it. Throws Error when it cannot, or nothing in it
  // can be read.
  Task::open(resolved, data);
  // Tells it from other data; and what to say where those that a run was trained on were others.
  { Task::identity(data) } -> std::same_as<DataIdentity>;
  { Task::change_text(data, trained_on, resolved, folder) } -> std::same_as<std::string>;
  // Writes what the folder of a model needs beside its config and weights.
  Task::save(data, folder);

  // The memory of a model and its workspace; what a run takes beside it, but for the bytes of
  // `data_bytes`, which its data take with the first batch; and what to lower where that is too
  // much.
  { Task::model_bytes(resolved) } -> std::convertible_to<size_t>;
  { Task::working_bytes(resolved) } -> std::convertible_to<double>;
  { Task::data_bytes(data) } -> std::convertible_to<size_t>;
  { Task::what_to_lower(resolved) } -> std::convertible_to<std::string>;
  // With its initial weights, for gradient passes of `run.micro_batch` rows.
  { Task::make_model(resolved) } -> std::same_as<std::unique_ptr<typename Task::Model>>;

  // A task is made of a resolved config and its opened data.
  Task(resolved, std::move(data));
  // Adds the gradients of a step to those of the model, at most `run.micro_batch` rows at a time,
  // and returns its loss.
  { task.add_gradients(model, int64_t{}, measured) } -> std::convertible_to<double>;
  // The weights have been updated with them.
  task.learned();
  { same.has_validation() } -> std::convertible_to<bool>;
  { task.validate(model) } -> std::same_as<typename Task::Measured>;
  // Null where it has none.
  { task.replay() } -> std::same_as<ReplayBuffer<typename Task::Scalar>*>;
};

// A task whose batches ranks can share.
template <class Task>
concept SharedTask = std::constructible_from<Task, const typename Task::Config&,
                                             typename Task::Data, Grains<typename Task::Scalar>>;

// Owns a run: its data, model, optimizer and folder (checkpoint.h). Everything it computes follows
// from the config and the data alone, whatever the number of threads, and however often it was
// interrupted. Sets the number of OpenMP threads of the process. Who may write to the folder is the
// caller's care (io/folder_owner.h).
//
// Many ranks are one run: each makes a Trainer with its view of their group, which must outlive it,
// and calls the same functions. All of them see the same files, and rank 0 alone writes.
template <TrainingTask Task>
class Trainer {
 public:
  using Scalar = typename Task::Scalar;
  using Config = typename Task::Config;
  using Model = typename Task::Model;
  using Step = StepReport<typename Task::Measured>;
  using Validation = ValidationReport<typename Task::Measured>;
  using Observer = RunObserver<Step, Validation>;
  // Makes a model as Task::make_model does, which is the engine's own.
  using ModelFactory = std::function<std::unique_ptr<Model>(const Config&)>;

  // Starts a run: writes the resolved config, what the task keeps and the first checkpoint to
  // config.run.out. Throws Error when the config is impossible, data or memory do not suffice, or
  // the folder holds a model already or cannot be written.
  static Trainer start(Config config, const ModelFactory& make_model = Task::make_model,
                       Group& ranks = lone_group());
  // Throws Error for what start() would refuse but for the folder and the memory.
  static void check_can_start(Config config);
  // Continues the run of a folder from its checkpoint, or from the beginning if it was interrupted
  // before the first, and writes what changes to its config. Throws Error when files are missing,
  // damaged or do not fit each other, the data are no longer the same, or more steps were taken
  // than are wanted; the folder is then as it was.
  static Trainer resume(const std::filesystem::path& folder, const RunChanges& changes = {},
                        const ModelFactory& make_model = Task::make_model,
                        Group& ranks = lone_group());

  // Takes the steps that are left, as TrainingLoop::run.
  bool run(const Observer& observer = {});

  // The resolved config.
  const Config& config() const { return config_; }
  // What was planned before memory was taken.
  const MemoryPlan& memory_plan() const { return plan_; }
  const TrainingProgress& progress() const { return loop_.progress(); }
  const Task& task() const { return task_; }
  Model& model() { return *model_; }

 private:
  // What is made before a run starts or resumes.
  struct Parts {
    Config config;
    typename Task::Data data;
    MemoryPlan plan;
    std::unique_ptr<Model> model;
    Group* ranks;
  };
  // Throws Error with the plan when it does not fit.
  static Parts make_parts(Config config, typename Task::Data data, const ModelFactory& make_model,
                          bool choose_micro_batch, Group& ranks);
  static Task make_task(const Config& config, typename Task::Data data, const Shards& shards,
                        Group& ranks) {
    if constexpr (SharedTask<Task>) {
      return Task(config, std::move(data),
                  Grains<Scalar>(config.run.grains, config.run.batch, shards, ranks));
    } else {
      return Task(config, std::move(data));
    }
  }
  explicit Trainer(Parts parts)
      : config_(std::move(parts.config)),
        plan_(parts.plan),
        model_(std::move(parts.model)),
        loop_(model_->layout(), config_.optimizer, step_size_rate(config_.thinking), config_.run,
              *parts.ranks),
        task_(make_task(config_, std::move(parts.data), loop_.shards(), *parts.ranks)) {
    loop_.progress().data = Task::identity(task_.data());
  }

  Step take_step();
  Validation validate();
  // The initial weights, where they are another model's.
  void load_base() {
    load_base_weights(config_, model_->edit_weights());
    resolve_step_size(*model_, config_.thinking);
  }
  Checkpoint<Scalar> checkpoint() {
    return loop_.checkpoint(model_->edit_weights(), task_.replay());
  }

  Config config_;
  MemoryPlan plan_;
  std::unique_ptr<Model> model_;
  TrainingLoop<Scalar> loop_;
  Task task_;
};

template <TrainingTask Task>
Trainer<Task> Trainer<Task>::start(Config config, const ModelFactory& make_model, Group& ranks) {
  auto data = Task::begin(config);
  config.check();
  const bool writes = ranks.rank() == 0;
  if (writes) {
    check_holds_no_model(config.run);
  }
  Trainer trainer(make_parts(config.resolved(), std::move(data), make_model,
                             config.run.micro_batch == 0, ranks));
  trainer.load_base();
  const std::filesystem::path folder = trainer.config_.run.out;
  if (writes) {
    make_folder(folder);
    Task::save(trainer.task_.data(), folder);
    save_config(folder, trainer.config_);
  }
  trainer.checkpoint().save(folder);
  return trainer;
}

template <TrainingTask Task>
void Trainer<Task>::check_can_start(Config config) {
  auto data = Task::begin(config);
  config.check();
  Task::open(config, data);
}

template <TrainingTask Task>
Trainer<Task> Trainer<Task>::resume(const std::filesystem::path& folder, const RunChanges& changes,
                                    const ModelFactory& make_model, Group& ranks) {
  auto stored = load_config<Config>(folder);
  changes.apply_to(stored.run, stored.data.data);
  Config config = stored;
  config.run.out = folder.string();
  config.run.threads = changes.threads.value_or(config.run.threads);
  config.check();
  Trainer trainer(make_parts(config.resolved(), Task::load(folder), make_model, false, ranks));
  const bool begun = gather_values<char>(ranks, has_model(folder) ? 1 : 0).front() != 0;
  if (begun) {
    trainer.checkpoint().load(folder);
    const auto& opened = trainer.task_.data();
    const DataIdentity& trained_on = trainer.progress().data;
    EBT_CHECK(Task::identity(opened) == trained_on, "{}",
              Task::change_text(opened, trained_on, trainer.config_, folder));
    check_steps_left(config.run, trainer.progress().step);
  } else {
    trainer.load_base();
  }
  ranks.barrier();  // all have read what is written from here on
  if (changes.change_config() && ranks.rank() == 0) {
    save_config(folder, stored);
  }
  if (!begun) {
    trainer.checkpoint().save(folder);
  }
  return trainer;
}

template <TrainingTask Task>
typename Trainer<Task>::Parts Trainer<Task>::make_parts(Config config, typename Task::Data data,
                                                        const ModelFactory& make_model,
                                                        bool choose_micro_batch, Group& ranks) {
  EBT_CHECK(SharedTask<Task> || ranks.size() == 1,
            "{} ranks cannot share this run: it is the work of one", ranks.size());
  check_ranks(ranks.size(), config.run.grains);
  use_threads(config.run.threads);
  Task::open(config, data);
  const auto plan_for = [&](int64_t rows) {
    config.run.micro_batch = rows;
    return plan_memory<Task>(config, Task::data_bytes(data));
  };
  if (choose_micro_batch) {
    // All ranks sum alike: as many rows at a time as fit where memory is least.
    const int64_t most = config.run.batch / config.run.grains;
    const auto fitting = gather_values(ranks, largest_fitting(most, plan_for).micro_batch);
    config.run.micro_batch = *std::min_element(fitting.begin(), fitting.end());
  }
  const MemoryPlan plan = plan_for(config.run.micro_batch);
  plan.check_fits(Task::what_to_lower(config));
  std::unique_ptr<Model> model = make_model(config);
  resolve_step_size(*model, config.thinking);
  return {std::move(config), std::move(data), plan, std::move(model), &ranks};
}

template <TrainingTask Task>
bool Trainer<Task>::run(const Observer& observer) {
  RunParts<Step, Validation> parts;
  parts.take_step = [this] { return take_step(); };
  if (task_.has_validation()) {
    parts.validate = [this] { return validate(); };
  }
  parts.save = [this] { checkpoint().save(config_.run.out); };
  return loop_.run(parts, observer);
}

template <TrainingTask Task>
typename Trainer<Task>::Step Trainer<Task>::take_step() {
  const StopWatch watch;
  const Tensor<Scalar> gradients = model_->gradients().all();
  kernels::elementwise<Scalar>().fill(gradients.count(), Scalar(0), gradients.data);
  Step report;
  report.loss = task_.add_gradients(*model_, progress().step, report.measured);
  loop_.learn(model_->edit_weights(), model_->gradients(), report);
  if (!report.skipped) {
    task_.learned();
  }
  report.seconds = watch.seconds();
  report.per_second = static_cast<double>(report.measured.count) / report.seconds;
  return report;
}

template <TrainingTask Task>
typename Trainer<Task>::Validation Trainer<Task>::validate() {
  const StopWatch watch;
  Validation report;
  report.step = progress().step;
  report.measured = task_.validate(*model_);
  report.seconds = watch.seconds();
  return report;
}

}  // namespace ebt
