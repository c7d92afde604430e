#include "training.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>

#include "ebt/core/log.h"
#include "ebt/core/message.h"
#include "ebt/core/printable.h"
#include "ebt/data/answers/answer_format_file.h"
#include "ebt/io/folder.h"
#include "ebt/kernels/gemm.h"
#include "ebt/kernels/isa.h"
#include "ebt/model/model_folder.h"
#include "ebt/train/metrics_log.h"
#include "ebt/train/streamed_data.h"
#include "stop_signals.h"

namespace ebt {

void FolderFlags::check() const {
  EBT_CHECK(minutes >= 0 && std::isfinite(minutes), "--minutes: {} is not a number from 0",
            minutes);
}

RunChanges changes_of_resumed(const Flags& flags) {
  RunChanges changes;
  for (const auto& [name, value] : flags.on_command_line().items()) {
    if (name == "steps") {
      changes.steps = value.get<int64_t>();
    } else if (name == "data") {
      changes.data = value.get<std::string>();
    } else if (name == "validate-every") {
      changes.validate_every = value.get<int64_t>();
    } else if (name == "checkpoint-every") {
      changes.checkpoint_every = value.get<int64_t>();
    } else if (name == "threads") {
      changes.threads = value.get<int64_t>();
    } else {
      EBT_CHECK(name == "resume" || name == "minutes",
                "--{} cannot change with --resume: a run goes on as it began", name);
    }
  }
  return changes;
}

void note_schedule(ProgressLine& line, int64_t before, const RunSettings& run,
                   const OptimizerConfig& optimizer, const TrainingProgress& progress) {
  if (before == run.steps) {
    return;
  }
  const auto rate = [&](int64_t steps) {
    return LearningRateSchedule{optimizer.learning_rate, optimizer.warmup_steps, steps,
                                optimizer.final_fraction}
        .at(progress.step);
  };
  line.note(fmt::format(
      "goes on from step {} to step {} instead of {}: the learning rate follows the cosine of {} "
      "steps from here on, {:.3g} instead of {:.3g} now",
      progress.step, run.steps, before, run.steps, rate(run.steps), rate(before)));
}

void check_places(const RunSettings& run, const std::string& data, const char* what) {
  check_apart(run.out, data, what);
  std::error_code ignored;
  EBT_CHECK(run.from.empty() || !std::filesystem::equivalent(run.out, run.from, ignored),
            "--from: '{}' is the folder that --out names: a run writes to a folder of its own",
            run.from);
}

void check_may_write(const std::string& out, const FolderFlags& flags) {
  EBT_CHECK(
      flags.overwrite || !has_model(out),
      "'{0}' holds a run already: continue it with --resume {0}, replace it with --overwrite, "
      "or choose another folder with --out",
      out);
}

void remove_run(const std::string& folder) {
  if (!std::filesystem::is_directory(folder)) {
    return;
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name == kConfigFile || name == kModelFile || name == kMetricsFile || name == kStreamFile ||
        name == kAnswerFormatFile || name.starts_with("training-state-")) {
      std::filesystem::remove(entry.path());
    }
  }
}

std::string skipped_text(const TrainingStep& report) {
  return report.skipped_steps > 0 ? fmt::format("  {} skipped", report.skipped_steps) : "";
}

std::string by_step_text(const std::vector<double>& values, int digits) {
  std::string text;
  for (const double value : values) {
    text += fmt::format(" {:.{}f}", value, digits);
  }
  return values.size() > 1 ? "; by thinking step" + text : "";
}

void show_part(ProgressLine& line, const PartOfRun& part) {
  constexpr double kPatience_seconds = 2;
  if (part.seconds < kPatience_seconds || part.share <= 0) {
    return;
  }
  line.update(fmt::format("{} {}/{}: {:.0f} % of it, {} left", part.what, part.step, part.steps,
                          100 * part.share,
                          format_duration(part.seconds * (1 - part.share) / part.share)));
}

std::string machine_text(const std::string& precision, const MemoryPlan& plan, const char* rows) {
  return fmt::format(
      "{} ({}), {} of memory{}, {} {} at a time", precision,
      precision == "bf16" ? kernels::bf16_engine() : kernels::isa_name(kernels::active_isa()),
      format_bytes(plan.needed_bytes),
      plan.available_bytes ? fmt::format(" of {} available", format_bytes(*plan.available_bytes))
                           : "",
      plan.micro_batch, rows);
}

void note_ranks(ProgressLine& line, const RunSettings& run, int ranks) {
  if (ranks > 1) {
    line.note(fmt::format("{} ranks share the {} grains of a batch", ranks, run.grains));
  }
}

double epochs_of(const RunSettings& run, int64_t epoch_rows) {
  return static_cast<double>(run.steps) * static_cast<double>(run.batch) /
         static_cast<double>(epoch_rows);
}

void note_learning(ProgressLine& line, const std::string& what, double epochs) {
  // Up to four, repeated text is about as good as new (Muennighoff et al., 2023).
  constexpr double kMostEpochs = 4;
  const std::string count = epochs < 100 ? fmt::format("{:.3g}", epochs) : format_count(epochs);
  line.note(fmt::format("learns from {}: {} epoch{}", what, count, count == "1" ? "" : "s"));
  if (epochs > kMostEpochs) {
    line.note(message(
        "more than four epochs: what is repeated so often teaches less and less, and is learned by "
        "heart in the end"));
  }
}

void ValidationWatch::see(double loss, ProgressLine& line) {
  constexpr int kRises = 3;
  rises_ = last_ && loss > *last_ ? rises_ + 1 : 0;
  last_ = loss;
  if (rises_ == kRises) {
    line.note(message(
        "the validation loss rose three times in a row: what the model learns now, it learns by "
        "heart"));
  }
}

void print_how_to_go_on(const char* command, const RunSettings& run, bool finished) {
  if (!finished) {
    const char* const signal = StopConditions::signal_name();
    say(message(fmt::format("stopped{}, and saved; go on with: {} --resume {}",
                            signal != nullptr ? fmt::format(" by {}", signal) : "", command,
                            run.out)) +
        '\n');
  }
}

void print_outcome(const RunSettings& run, const TrainingProgress& progress, bool finished,
                   int64_t parameters) {
  fmt::print("{} step {} of {}: '{}' holds a model of {} weights\n",
             finished ? "finished" : "stopped after", progress.step, run.steps, printable(run.out),
             format_count(static_cast<double>(parameters)));
}

Json result_of(const RunSettings& run, const TrainingProgress& progress, bool finished,
               int64_t parameters) {
  return {{"model", run.out},
          {"finished", finished},
          {"step", progress.step},
          {"steps", run.steps},
          {"skipped_steps", progress.skipped_steps},
          {"parameters", parameters}};
}

}  // namespace ebt
