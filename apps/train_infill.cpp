#include "train_infill.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>

#include "ebt/core/log.h"
#include "ebt/train/infill_task.h"
#include "flags.h"
#include "rules.h"
#include "training_run.h"

namespace ebt {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  ebt data puzzle sudoku --boxes 2x3 --holes 6-16 --count 20000 --seed 1 --out train.csv\n"
    "  ebt train infill --data train.csv --grid 6x6 --boxes 2x3 --out solver\n"
    "  ebt train infill --data train.csv --grid 6x6 --boxes 2x3 --arch looped --out rival\n"
    "  ebt train infill --data sums.jsonl --puzzle-field sum --answer-field result --out adder\n"
    "  ebt train infill --data book.txt --row-length 64 --steps 2000 --out gaps\n"
    "  ebt train infill --resume solver                  # after Ctrl-C, a crash, a full disk\n"
    "  ebt solve --model solver < puzzles.txt\n"
    "The model thinks about all that is asked for in a row at once, and gains from thinking "
    "longer\n"
    "than it was trained to: 'ebt eval infill' shows how much. --arch feed_forward and looped are\n"
    "the same network without an energy. The same seed gives the same model on any number of\n"
    "threads, interrupted or not.";

struct InfillTraining : TrainingCommand<InfillTask<float>> {
  static constexpr const char* kData = "answers";
  static constexpr const char* kRows = "rows";

  static std::string name() { return "ebt train infill"; }
  static InfillTrainConfig defaults() { return {}; }
  static void start_from(const InfillTrainConfig& base, InfillTrainConfig& config) {
    config.model = base.model;
    config.thinking = base.thinking;
  }
  static void apply_presets(const Flags& /*flags*/, bool /*has_base*/,
                            InfillTrainConfig& /*config*/) {}
  static std::unique_ptr<StreamedData> copy_stream(InfillTrainConfig& config) {
    return copy_text_stream(config.data, config.run.out);
  }

  static std::string batch_text(const InfillTrainConfig& config) {
    return fmt::format("{} rows of {} tokens", config.run.batch, config.model.row_length);
  }
  static void note_data(const InfillTrainer<float>& trainer, ProgressLine& line) {
    const int64_t rows = trainer.task().data().training_rows;
    note_learning(line, fmt::format("{} rows of '{}'", rows, trainer.config().data.data),
                  epochs_of(trainer.config().run, rows));
  }

  static std::string progress_text(const Step& report) {
    return fmt::format("step {}/{}  loss {:.4f}  solved {:.1f} %  {} tok/s  {} left", report.step,
                       report.steps, report.loss, 100 * report.measured.solved().back(),
                       format_count(report.per_second), format_duration(report.seconds_left));
  }
  static std::string validation_text(const Validation& report) {
    const InfillLosses& measured = report.measured;
    return fmt::format("step {}: validation loss {:.4f}, {:.1f} % of rows solved", report.step,
                       measured.loss(), 100 * measured.solved().back()) +
           by_step_text(measured.solved(), 2);
  }
  static void add_result(const InfillTrainer<float>& trainer,
                         const std::optional<Validation>& validation, Json& result) {
    const AnswerData& data = trainer.task().data();
    result["data"] = {{"rows", data.training_rows},
                      {"bad_lines", data.bad_lines},
                      {"epochs", epochs_of(trainer.config().run, data.training_rows)}};
    if (validation.has_value()) {
      const InfillLosses& measured = validation->measured;
      result["validation"] = {{"step", validation->step},
                              {"rows", measured.rows},
                              {"loss", measured.loss()},
                              {"solved", measured.solved().back()},
                              {"solved_per_step", measured.solved()},
                              {"accuracy", measured.accuracy().back()}};
    }
  }
};

}  // namespace

void register_train_infill(CLI::App& train) {
  add_command(
      train, "infill",
      "Train a model that thinks about whole answers: puzzles, questions, gaps in texts.",
      std::string(kExamples) + kEndings,
      [](Flags& flags) {
        flags.bind(FolderFlags{}, kPresetHeading);
        flags.bind(InfillRunConfig{}, "Run");
        flags.bind(AnswerDataConfig{}, "Answers");
        flags.bind(InfillModelConfig{}, "Model",
                   {"vocab-size", "row-tokens", "row-grid", "row-boxes"});
        flags.bind(InfillThinkingConfig{}, "Thinking");
        const OptimizerConfig optimizer = InfillTrainConfig{}.optimizer;
        flags.bind(optimizer, "Optimizer");
        flags
            .flags({"update", "learned-steps", "step-size", "step-size-lr", "step-size-spread",
                    "langevin-noise", "ranking", "ranking-replaced"})
            .only_where(where_arch_is_ebt());
        flags.writes(OutputKind::kRunFolder);
      },
      [](const Flags& flags) { run_training(InfillTraining(), flags); });
}

}  // namespace ebt
