#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "commands.h"
#include "ebt/core/log.h"
#include "ebt/train/text_task.h"
#include "flags.h"
#include "rules.h"
#include "train_image.h"
#include "train_infill.h"
#include "train_video.h"
#include "training_run.h"

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
    "  mpirun -n 4 ebt train --data book.txt --grains 4 --out book   # docs/clusters.md\n"
    "  ebt train image --data photos --out denoiser      # on images; 'ebt train image --help'\n"
    "  ebt train infill --data puzzles.csv --out solver  # on whole answers\n"
    "The folder holds config.json, model.safetensors, the training state and metrics.jsonl. The "
    "same\n"
    "seed gives the same model on any number of threads, interrupted or not.";

double epochs_of(const TextTrainer<float>& trainer) {
  return epochs_of(trainer.config().run, trainer.task().text().epoch_rows);
}

std::string data_text(const TextTrainer<float>& trainer) {
  const TextSummary& summary = trainer.task().text().summary;
  const TextDataConfig& data = trainer.config().data;
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

struct TextTraining : TrainingCommand<TextTask<float>> {
  static constexpr const char* kData = "text";
  static constexpr const char* kRows = "rows";

  static std::string name() { return "ebt train"; }
  static TextTrainConfig defaults() { return {}; }
  static void start_from(const TextTrainConfig& base, TextTrainConfig& config) {
    config.model = base.model;
    config.thinking = base.thinking;
    config.data.tokenizer = config.run.from;
  }
  static void finish(const Flags& flags, TextTrainConfig& config) {
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
  }
  static std::unique_ptr<StreamedData> copy_stream(TextTrainConfig& config) {
    return copy_text_stream(config.data, config.run.out);
  }

  static std::string batch_text(const TextTrainConfig& config) {
    return fmt::format("{} x {} tokens", config.run.batch, config.model.context);
  }
  static void note_data(const TextTrainer<float>& trainer, ProgressLine& line) {
    note_learning(line, data_text(trainer), epochs_of(trainer));
  }

  static std::string progress_text(const Step& report) {
    std::string text =
        fmt::format("step {}/{}  loss {:.3f}  {:.3f} nats/byte  {} tok/s  {} left", report.step,
                    report.steps, report.loss, report.measured.nats_per_byte(),
                    format_count(report.per_second), format_duration(report.seconds_left));
    if (report.measured.energies.size() > 1) {
      text += fmt::format("  energy gap {:.3g}", report.measured.energy_gap());
    }
    return text;
  }
  static std::string validation_text(const Validation& report) {
    const TextLosses& measured = report.measured;
    return fmt::format("step {}: validation {:.4f} nats/token, perplexity {:.3f}, {:.4f} bits/byte",
                       report.step, measured.loss(), measured.perplexity(),
                       measured.bits_per_byte()) +
           by_step_text(measured.mean_losses(), 4);
  }
  static void add_result(const TextTrainer<float>& trainer,
                         const std::optional<Validation>& validation, Json& result) {
    const TextSummary& summary = trainer.task().text().summary;
    result["data"] = {{"files", summary.files},         {"documents", summary.documents},
                      {"bytes", summary.bytes},         {"tokens", summary.tokens},
                      {"bad_lines", summary.bad_lines}, {"epochs", epochs_of(trainer)}};
    if (validation.has_value()) {
      const TextLosses& measured = validation->measured;
      result["validation"] = {{"step", validation->step},
                              {"loss", measured.loss()},
                              {"perplexity", measured.perplexity()},
                              {"bits_per_byte", measured.bits_per_byte()},
                              {"loss_per_step", measured.mean_losses()}};
    }
  }
};

}  // namespace

void register_train(CLI::App& app) {
  CLI::App* train = add_command(
      app, "train",
      "Train a model on text: an Energy-Based Transformer, or the Transformer++ baseline. 'ebt "
      "train image' and 'ebt train dit' train on images, 'ebt train infill' on whole answers, 'ebt "
      "train video' on frames.",
      std::string(kExamples) + kEndings,
      [](Flags& flags) {
        flags.bind(SizeFlag{}, kPresetHeading);
        flags.bind(RecipeFlag{}, kPresetHeading).only_where(where_arch_is_ebt());
        flags.bind(FolderFlags{}, kPresetHeading);
        flags.bind(TextRunConfig{}, "Run");
        flags.bind(TextDataConfig{}, "Text");
        flags.bind(TextTrainConfig{}.model, "Model", {"vocab-size"});
        flags.bind(TextThinkingConfig{}, "Thinking").only_where(where_arch_is_ebt());
        flags.bind(OptimizerConfig{}, "Optimizer");
        flags.flags({"type"}).only_where(where_arch_is_ebt());
        flags.writes(OutputKind::kRunFolder);
        flags.shared_by_ranks();
      },
      [](const Flags& flags) { run_training(TextTraining(), flags); });
  train->require_subcommand(0, 1);
  register_train_image(*train);
  register_train_infill(*train);
  register_train_video(*train);
}

}  // namespace ebt
