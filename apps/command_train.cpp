#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "commands.h"
#include "ebt/core/log.h"
#include "ebt/data/text/prepared_data.h"
#include "ebt/io/folder_owner.h"
#include "ebt/train/recipes.h"
#include "ebt/train/run_config.h"
#include "ebt/train/trainer.h"
#include "flags.h"
#include "output.h"
#include "rules.h"
#include "stop_signals.h"
#include "train_image.h"
#include "training.h"

namespace ebt {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  ebt train --out model                               # 4xs on the manual of CMake\n"
    "  ebt train --data book.txt --size xxs --steps 3000 --out book\n"
    "  ebt train --data book.txt --recipe s2 --out book-s2\n"
    "  ebt train --data book.txt --arch transformer_pp --out baseline\n"
    "  ebt train --data book.txt --tokenizer tokenizer.json --out words\n"
    "  ebt train --data shards --out words               # what 'ebt data prepare' made\n"
    "  xz -dc books.jsonl.xz | ebt train --data - --as jsonl --out books\n"
    "  ebt train --data sums.jsonl --prompt-field sum --text-field result --out adder\n"
    "  ebt train --resume book                           # after Ctrl-C, a crash, a full disk\n"
    "  ebt train --resume book --steps 9000              # longer\n"
    "  ebt train --from book --data letters.txt --out letters   # from weights that were learned\n"
    "  ebt train --config book/config.json --seed 1 --out book-1\n"
    "  ebt train image --data photos --out denoiser      # on images; 'ebt train image --help'\n"
    "The folder holds config.json, model.safetensors, the training state and metrics.jsonl. The "
    "same\n"
    "seed gives the same model on any number of threads, interrupted or not.";

// What a run is that starts from another model's weights, unless flags say otherwise: of its shape,
// kind of thinking and tokens.
void start_from(const std::string& from, TrainConfig& config) {
  const TrainConfig base = load_config(from);
  config.model = base.model;
  config.thinking = base.thinking;
  config.data.tokenizer = from;
}

TrainConfig config_of(const Flags& flags) {
  SizeFlag size;
  RecipeFlag recipe;
  flags.apply_to(size);
  flags.apply_to(recipe);
  TrainConfig config;
  flags.apply_to(config.run);
  const bool has_base = !config.run.from.empty();
  if (has_base) {
    start_from(config.run.from, config);
  }
  if (!has_base || is_given(flags, size)) {
    size.apply_to(config.model);
  }
  if (!has_base || is_given(flags, recipe)) {
    apply_recipe(recipe.recipe, config);
  }
  flags.apply_to(config);
  // The config.json of a model names files beside it.
  const auto look_beside = [&](const char* flag, std::string& file) {
    const std::filesystem::path beside =
        std::filesystem::path(flags.config_file()).parent_path() / file;
    if (!flags.config_file().empty() && !flags.on_command_line().contains(flag) &&
        std::filesystem::is_regular_file(beside)) {
      file = beside.string();
    }
  };
  if (config.data.tokenizer != kByteTokenizer) {
    look_beside("tokenizer", config.data.tokenizer);
  }
  if (config.data.data == kStreamFile) {
    look_beside("data", config.data.data);
  }
  return config;
}

// A run, in a folder that nobody else writes to.
struct OwnedRun {
  FolderOwner owner;
  Trainer<float> trainer;
  int64_t steps_before;  // of a run that goes on
};

OwnedRun resume_run(const std::string& folder, const Flags& flags) {
  const RunChanges changes = changes_of_resumed(flags);
  const int64_t steps = load_config(folder).run.steps;
  FolderOwner owner = FolderOwner::take(folder);
  return {std::move(owner), Trainer<float>::resume(folder, changes), steps};
}

OwnedRun begin_run(const FolderFlags& folder, const Flags& flags) {
  TrainConfig config = config_of(flags);
  config.run.check();
  check_places(config.run, config.data.data, "text");
  FolderOwner owner = FolderOwner::take(config.run.out);
  check_may_write(config.run.out, folder);
  const auto stream = copy_text_stream(config.data, config.run.out);
  if (folder.overwrite) {
    // Whatever the new run would be refused for must not cost the old one.
    config.check();
    const auto tokenizer = open_tokenizer(chosen_tokenizer(config.data.tokenizer, config.data.data),
                                          config.data.end_of_text);
    open_training_text(config.data, config.model.context, config.run.seed, *tokenizer);
    remove_run(config.run.out);
  }
  // Before the owner moves: whoever is refused lets go of the folder last, when it is empty again.
  Trainer<float> trainer = start_run<Trainer<float>>(config, stream.get());
  return {std::move(owner), std::move(trainer), config.run.steps};
}

std::string progress_text(const StepReport& report) {
  std::string text =
      fmt::format("step {}/{}  loss {:.3f}  {:.3f} nats/byte  {} tok/s  {} left", report.step,
                  report.steps, report.loss, report.nats_per_byte,
                  format_count(report.tokens_per_second), format_duration(report.seconds_left));
  if (report.energies.size() > 1) {
    text += fmt::format("  energy gap {:.3g}", report.energy_gap());
  }
  if (report.skipped_steps > 0) {
    text += fmt::format("  {} skipped", report.skipped_steps);
  }
  return text;
}

std::string validation_text(const ValidationReport& report) {
  const Evaluation& evaluation = report.evaluation;
  std::string text = fmt::format(
      "step {}: validation {:.4f} nats/token, perplexity {:.3f}, {:.4f} bits/byte", report.step,
      evaluation.loss(), evaluation.perplexity(), evaluation.bits_per_byte());
  const std::vector<double> losses = evaluation.losses();
  if (losses.size() > 1) {
    text += "; by thinking step";
    for (const double loss : losses) {
      text += fmt::format(" {:.4f}", loss);
    }
  }
  return text;
}

double epochs_of(const Trainer<float>& trainer) {
  return epochs_of(trainer.config().run, trainer.text().epoch_rows);
}

std::string data_text(const Trainer<float>& trainer) {
  const TextSummary& summary = trainer.text().summary;
  const DataConfig& data = trainer.config().data;
  std::string text = data.data.empty() ? "the CMake manual" : "'" + data.data + "'";
  const auto add = [&](int64_t count, const char* thing) {
    text += fmt::format(", {} {}{}", format_count(static_cast<double>(count)), thing,
                        count == 1 ? "" : "s");
  };
  if (summary.files > 0) {
    add(summary.files, "file");
  }
  add(summary.documents, data.prompt_field.empty() ? "document" : "example");
  text += ", " + format_bytes(static_cast<double>(summary.bytes));
  add(summary.tokens, "token");
  return text;
}

void print_json(const Trainer<float>& trainer, Json result,
                const std::optional<ValidationReport>& validation) {
  const TextSummary& summary = trainer.text().summary;
  result["data"] = {{"files", summary.files},         {"documents", summary.documents},
                    {"bytes", summary.bytes},         {"tokens", summary.tokens},
                    {"bad_lines", summary.bad_lines}, {"epochs", epochs_of(trainer)}};
  if (validation.has_value()) {
    const Evaluation& evaluation = validation->evaluation;
    result["validation"] = {{"step", validation->step},
                            {"loss", evaluation.loss()},
                            {"perplexity", evaluation.perplexity()},
                            {"bits_per_byte", evaluation.bits_per_byte()},
                            {"loss_per_step", evaluation.losses()}};
  }
  output_json(result);
}

void run_train(const Flags& flags) {
  FolderFlags folder;
  flags.apply_to(folder);
  folder.check();
  OwnedRun run =
      folder.resume.empty() ? begin_run(folder, flags) : resume_run(folder.resume, flags);
  Trainer<float>& trainer = run.trainer;
  const TrainConfig& config = trainer.config();
  const int64_t parameters = trainer.model().layout().count();
  ProgressLine line;
  line.note(fmt::format("{}: {} weights, {} steps of {} x {} tokens, into '{}'",
                        enum_name(config.model.arch), format_count(static_cast<double>(parameters)),
                        config.run.steps, config.run.batch, config.model.context, config.run.out));
  note_learning(line, data_text(trainer), epochs_of(trainer));
  line.note(machine_text(config.run.precision, trainer.memory_plan(), "rows"));
  note_schedule(line, run.steps_before, config.run, config.optimizer, trainer.progress());
  std::optional<ValidationReport> last_validation;
  ValidationWatch watch;
  const StopConditions conditions(folder.minutes);
  TrainingObserver observer;
  observer.on_step = [&](const StepReport& report) { line.update(progress_text(report)); };
  observer.on_validation = [&](const ValidationReport& report) {
    line.note(validation_text(report));
    watch.see(report.evaluation.loss(), line);
    last_validation = report;
  };
  observer.on_part = [&](const PartOfRun& part) { show_part(line, part); };
  observer.stop_requested = [&] { return conditions.stop(); };
  observer.interrupted = StopConditions::signalled;
  const bool finished = trainer.run(observer);
  line.finish();
  print_how_to_go_on("ebt train", config.run, finished);
  if (flags.json()) {
    print_json(trainer, result_of(config.run, trainer.progress(), finished, parameters),
               last_validation);
  } else {
    print_outcome(config.run, trainer.progress(), finished, parameters);
  }
  forget_unread_result();
}

}  // namespace

void register_train(CLI::App& app) {
  CLI::App* train = add_command(
      app, "train",
      "Train a model on text: an Energy-Based Transformer, or the Transformer++ baseline. 'ebt "
      "train image' and 'ebt train dit' train on images.",
      std::string(kExamples) + kEndings,
      [](Flags& flags) {
        flags.bind(SizeFlag{}, kPresetHeading);
        flags.bind(RecipeFlag{}, kPresetHeading).only_where(where_arch_is_ebt());
        flags.bind(FolderFlags{}, kPresetHeading);
        flags.bind(RunConfig{}, "Run");
        flags.bind(DataConfig{}, "Text");
        flags.bind(TrainConfig{}.model, "Model", "vocab-size");
        flags.bind(ThinkingConfig{}, "Thinking").only_where(where_arch_is_ebt());
        flags.bind(OptimizerConfig{}, "Optimizer");
        flags.flags({"type"}).only_where(where_arch_is_ebt());
        flags.writes(OutputKind::kRunFolder);
      },
      run_train);
  register_train_image(*train);
}

}  // namespace ebt
