// The body of every command that trains: begin or resume a run, watch it, say what came of it.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "ebt/core/log.h"
#include "ebt/dist/launcher.h"
#include "ebt/io/folder_owner.h"
#include "ebt/train/recipes.h"
#include "ebt/train/run_config.h"
#include "ebt/train/trainer.h"
#include "flags.h"
#include "output.h"
#include "stop_signals.h"
#include "training.h"

namespace ebt {

// A command that trains derives from this and has
//   static constexpr kData, kRows    what messages call its data, and the rows of a batch
//   name()                           "ebt train"
//   defaults()                       the config that presets and flags change
//   start_from(base, config)         makes a run what it is that starts from another's weights,
//                                    unless flags say otherwise: of its shape and kind of thinking
//   copy_stream(config)              copy_text_stream or its like
//   batch_text(config)               "16 x 256 tokens"
//   note_data(trainer, line)         says what is learned from
//   progress_text(step)              the progress line
//   validation_text(validation)      a line for each validation
//   add_result(trainer, validation, json)  what --json says beside result_of
// and, where it wants other than these, its own of the functions below.
template <class AnyTask>
struct TrainingCommand {
  using Task = AnyTask;
  using Config = typename Task::Config;
  using Step = typename Trainer<Task>::Step;
  using Validation = typename Trainer<Task>::Validation;

  // A run, in a folder that nobody else writes to.
  struct OwnedRun {
    std::optional<FolderOwner> owner;  // rank 0's
    Trainer<Task> trainer;
    int64_t steps_before;  // of a run that goes on
  };

  // Sets what presets say, unless it follows from the base.
  static void apply_presets(const Flags& flags, bool has_base, Config& config) {
    SizeFlag size;
    RecipeFlag recipe;
    flags.apply_to(size);
    flags.apply_to(recipe);
    if (!has_base || is_given(flags, size)) {
      size.apply_to(config.model);
    }
    if (!has_base || is_given(flags, recipe)) {
      apply_recipe(recipe.recipe, config);
    }
  }
  // Completes the config of a new run, or throws Error, once flags have spoken.
  static void finish(const Flags& /*flags*/, Config& /*config*/) {}
  // Throws Error where the run of a folder is another command's.
  static void check_resumed(const Config& /*config*/, const std::string& /*folder*/) {}
  // Says what there is to say after every step, and after the last.
  static void note_step(const Trainer<Task>& /*trainer*/, ProgressLine& /*line*/) {}
  static void note_end(const Trainer<Task>& /*trainer*/, ProgressLine& /*line*/) {}
};

// The config of a new run.
template <class Command>
typename Command::Config config_of(const Command& command, const Flags& flags) {
  typename Command::Config config = command.defaults();
  flags.apply_to(config.run);
  const bool has_base = !config.run.from.empty();
  if (has_base) {
    command.start_from(load_config<typename Command::Config>(config.run.from), config);
  }
  command.apply_presets(flags, has_base, config);
  flags.apply_to(config);
  command.finish(flags, config);
  return config;
}

template <class Command>
typename Command::OwnedRun resume_run(const Command& command, const std::string& folder,
                                      const Flags& flags, Group& ranks) {
  using Config = typename Command::Config;
  using Task = typename Command::Task;
  const RunChanges changes = changes_of_resumed(flags);
  const auto found = load_config<Config>(folder);
  command.check_resumed(found, folder);
  std::optional<FolderOwner> owner;
  if (ranks.rank() == 0) {
    owner.emplace(FolderOwner::take(folder));
  }
  return {std::move(owner), Trainer<Task>::resume(folder, changes, Task::make_model, ranks),
          found.run.steps};
}

template <class Command>
typename Command::OwnedRun begin_run(const Command& command, const FolderFlags& folder,
                                     const Flags& flags, Group& ranks) {
  using Task = typename Command::Task;
  auto config = config_of(command, flags);
  config.run.check();
  check_places(config.run, config.data.data, Command::kData);
  std::optional<FolderOwner> owner;
  std::unique_ptr<StreamedData> stream;
  if (ranks.rank() == 0) {
    owner.emplace(FolderOwner::take(config.run.out));
    check_may_write(config.run.out, folder);
    stream = command.copy_stream(config);
    EBT_CHECK(stream == nullptr || ranks.size() == 1,
              "--data: {} ranks cannot read one stream: name a file that all of them see",
              ranks.size());
    if (folder.overwrite) {
      // Whatever the new run would be refused for must not cost the old one.
      Trainer<Task>::check_can_start(config);
      remove_run(config.run.out);
    }
  }
  if (stream != nullptr) {
    stream->keep();
    config.data.data = stream->path();
  }
  ranks.barrier();
  // Before the owner moves: whoever is refused lets go of the folder last, when it is empty again.
  auto trainer = Trainer<Task>::start(config, Task::make_model, ranks);
  if (stream != nullptr) {
    stream->give_to_run();
  }
  return {std::move(owner), std::move(trainer), config.run.steps};
}

template <class Command>
void run_training(Command command, const Flags& flags) {
  using Step = typename Command::Step;
  using Validation = typename Command::Validation;
  FolderFlags folder;
  flags.apply_to(folder);
  folder.check();
  const std::unique_ptr<Group> joined = join_launched_ranks();
  Group& ranks = joined != nullptr ? *joined : lone_group();
  ranks.barrier();  // none writes before all have looked at what is there
  auto run = folder.resume.empty() ? begin_run(command, folder, flags, ranks)
                                   : resume_run(command, folder.resume, flags, ranks);
  auto& trainer = run.trainer;
  const StopConditions conditions(folder.minutes);
  RunObserver<Step, Validation> observer;
  observer.stop_requested = [&] { return conditions.stop(); };
  observer.interrupted = StopConditions::signalled;
  if (ranks.rank() != 0) {
    trainer.run(observer);
    return;
  }
  const auto& config = trainer.config();
  const int64_t parameters = trainer.model().layout().count();
  ProgressLine line;
  line.note(fmt::format("{}: {} weights, {} steps of {}, into '{}'", enum_name(config.model.arch),
                        format_count(static_cast<double>(parameters)), config.run.steps,
                        command.batch_text(config), config.run.out));
  command.note_data(trainer, line);
  line.note(machine_text(config.run.precision, trainer.memory_plan(), Command::kRows));
  note_ranks(line, config.run, ranks.size());
  note_schedule(line, run.steps_before, config.run, config.optimizer, trainer.progress());
  std::optional<Validation> last_validation;
  ValidationWatch watch;
  observer.on_step = [&](const Step& report) {
    command.note_step(trainer, line);
    line.update(command.progress_text(report) + skipped_text(report));
  };
  observer.on_validation = [&](const Validation& report) {
    line.note(command.validation_text(report));
    watch.see(report.measured.loss(), line);
    last_validation = report;
  };
  observer.on_part = [&](const PartOfRun& part) { show_part(line, part); };
  const bool finished = trainer.run(observer);
  line.finish();
  command.note_end(trainer, line);
  print_how_to_go_on(command.name().c_str(), config.run, finished);
  if (flags.json()) {
    Json result = result_of(config.run, trainer.progress(), finished, parameters);
    command.add_result(trainer, last_validation, result);
    output_json(result);
  } else {
    print_outcome(config.run, trainer.progress(), finished, parameters);
  }
  forget_unread_result();
}

}  // namespace ebt
