#include "training.h"

#include <fmt/format.h>

#include <cmath>
#include <csignal>
#include <filesystem>

#include "ebt/core/log.h"
#include "ebt/kernels/gemm.h"
#include "ebt/kernels/isa.h"
#include "ebt/train/metrics_log.h"
#include "ebt/train/model_folder.h"

namespace ebt {
namespace {

volatile std::sig_atomic_t stop_signal = 0;

// The second signal ends the program at once.
void request_stop(int signal) {
  stop_signal = 1;
  std::signal(signal, SIG_DFL);
}

}  // namespace

void FolderFlags::check() const {
  EBT_CHECK(minutes >= 0 && std::isfinite(minutes), "--minutes: {} is not a number from 0",
            minutes);
}

std::optional<int64_t> threads_of_resumed(const Flags& flags) {
  std::optional<int64_t> threads;
  for (const auto& [name, value] : flags.on_command_line().items()) {
    EBT_CHECK(name == "resume" || name == "threads" || name == "minutes",
              "--{} cannot change with --resume: a run goes on as it began", name);
    if (name == "threads") {
      threads = value.get<int64_t>();
    }
  }
  return threads;
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
        name.starts_with("training-state-")) {
      std::filesystem::remove(entry.path());
    }
  }
}

StopConditions::StopConditions(double minutes) : minutes_(minutes) {
  std::signal(SIGINT, request_stop);
  std::signal(SIGTERM, request_stop);
}

bool StopConditions::stop() const {
  const std::chrono::duration<double, std::ratio<60>> passed =
      std::chrono::steady_clock::now() - start_;
  return stop_signal != 0 || (minutes_ > 0 && passed.count() >= minutes_);
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
    line.note(
        "more than four epochs: what is repeated so often teaches less and less, and is learned by "
        "heart in the end");
  }
}

void ValidationWatch::see(double loss, ProgressLine& line) {
  constexpr int kRises = 3;
  rises_ = last_ && loss > *last_ ? rises_ + 1 : 0;
  last_ = loss;
  if (rises_ == kRises) {
    line.note(
        "the validation loss rose three times in a row: what the model learns now, it learns by "
        "heart");
  }
}

void print_how_to_go_on(const char* command, const RunSettings& run,
                        const TrainingProgress& progress) {
  if (progress.step < run.steps) {
    fmt::print(stderr, "stopped, and saved; go on with: {} --resume {}\n", command, run.out);
  }
}

void print_outcome(const RunSettings& run, const TrainingProgress& progress, int64_t parameters) {
  fmt::print("{} step {} of {}: '{}' holds a model of {} weights\n",
             progress.step >= run.steps ? "finished" : "stopped after", progress.step, run.steps,
             run.out, format_count(static_cast<double>(parameters)));
}

Json result_of(const RunSettings& run, const TrainingProgress& progress, int64_t parameters) {
  return {
      {"model", run.out},   {"finished", progress.step >= run.steps},  {"step", progress.step},
      {"steps", run.steps}, {"skipped_steps", progress.skipped_steps}, {"parameters", parameters}};
}

}  // namespace ebt
