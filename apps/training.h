// What the commands that train share: presets, the folder of a run, when to stop, what to tell.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ebt/core/log.h"
#include "ebt/model/config.h"
#include "ebt/train/memory_plan.h"
#include "ebt/train/training_loop.h"
#include "flags.h"

namespace ebt {

inline constexpr const char* kPresetHeading =
    "Presets and folders (explicit flags override presets)";

struct SizeFlag {
  std::string size = "4xs";

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("size", size,
          "published size, sets layers, width and heads: 4xs 3xs xxs xs small medium large xl");
  }
  // Sets the layers, width and heads of a model. Throws Error for a name that is none.
  template <class Model>
  void apply_to(Model& model) const {
    const ModelSize& named = model_size(size);
    model.layers = named.layers;
    model.width = named.width;
    model.heads = named.heads;
  }
};

struct RecipeFlag {
  std::string recipe = "s1";

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("recipe", recipe,
          "sets how the model thinks in training: s1 (fast) or s2 (learns to think longer)");
  }
};

// What to do with a folder that holds a run, and for how long.
struct FolderFlags {
  std::string resume;
  bool overwrite = false;
  double minutes = 0;

  // Throws Error for impossible minutes.
  void check() const;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit(
        "resume", resume,
        "folder of a run to go on with, interrupted or finished; beside it --steps, --data (the "
        "same data, elsewhere), --validate-every, --checkpoint-every, --threads and --minutes may "
        "change. With other --steps the learning rate follows their cosine from there on");
    visit("overwrite", overwrite, "replace the run that --out holds");
    visit("minutes", minutes,
          "save and stop after so many minutes of training, if --steps are not done by then, as "
          "Ctrl-C does; 0: no limit. The learning rate follows --steps all the same");
  }
};

// How training ends, as the help of its commands tells.
inline constexpr const char* kEndings =
    "\nCtrl-C (SIGINT), SIGTERM, SIGUSR1 and a terminal that closes (SIGHUP) end training within\n"
    "seconds, with all whole steps saved; a second signal, a second later, ends it at once. Exit\n"
    "code: 0 where the run is finished, or was ended so; 1 where it failed, or its result could "
    "not\n"
    "be printed; a signal before the first step ends the program by that signal.";

// What a command line with --resume changes. Throws Error when it asks for anything that cannot.
RunChanges changes_of_resumed(const Flags& flags);

// Says what becomes of the learning rate of a run of `before` steps that now has others.
void note_schedule(ProgressLine& line, int64_t before, const RunSettings& run,
                   const OptimizerConfig& optimizer, const TrainingProgress& progress);

// Whether a flag was given: its value would stand in the way of what follows from --from.
template <class Preset>
bool is_given(const Flags& flags, Preset preset) {
  bool given = false;
  preset.visit_fields([&](const char* name, const auto& /*field*/, const char* /*help*/) {
    given = given || flags.on_command_line().contains(name);
  });
  return given;
}

// Throws Error when a run would write into its data, which messages call `what`, or into the model
// that it starts from.
void check_places(const RunSettings& run, const std::string& data, const char* what);

// Throws Error when the folder holds a run and --overwrite was not given.
void check_may_write(const std::string& out, const FolderFlags& flags);

// Removes what a run left in a folder, and nothing else.
void remove_run(const std::string& folder);

// What the progress line ends in: "  2 skipped", or nothing.
std::string skipped_text(const TrainingStep& report);
// "; by thinking step 1.25 1.20" of more values than one, with so many digits; else nothing.
std::string by_step_text(const std::vector<double>& values, int digits);

// Shows how far a step or a validation is, where it takes longer than two seconds.
void show_part(ProgressLine& line, const PartOfRun& part);

// "bf16 (amx), 1.2 GiB of memory of 7.5 GiB available, 32 images at a time", of a resolved
// precision.
std::string machine_text(const std::string& precision, const MemoryPlan& plan, const char* rows);

// Says how many ranks share a run, where they are more than one.
void note_ranks(ProgressLine& line, const RunSettings& run, int ranks);

// How often a run will see what it learns from.
double epochs_of(const RunSettings& run, int64_t epoch_rows);
// Says on stderr what a run learns from, `what` ("3 files"), and for how many epochs; and where
// these are more than four, what that means.
void note_learning(ProgressLine& line, const std::string& what, double epochs);

// Notices a model that begins to learn its text, or its images, by heart.
class ValidationWatch {
 public:
  // Says so on stderr when the loss of the validation is the third in a row above the one before.
  void see(double loss, ProgressLine& line);

 private:
  std::optional<double> last_;
  int rises_ = 0;
};

// Says on stderr how to go on, where the run is not finished.
void print_how_to_go_on(const char* command, const RunSettings& run, bool finished);
// Prints what --json does without.
void print_outcome(const RunSettings& run, const TrainingProgress& progress, bool finished,
                   int64_t parameters);
// The fields of a run's result that do not depend on what was learned.
Json result_of(const RunSettings& run, const TrainingProgress& progress, bool finished,
               int64_t parameters);

}  // namespace ebt
