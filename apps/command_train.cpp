#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "commands.h"
#include "ebt/core/log.h"
#include "ebt/data/prepared_data.h"
#include "ebt/kernels/gemm.h"
#include "ebt/kernels/isa.h"
#include "ebt/train/memory_plan.h"
#include "ebt/train/model_folder.h"
#include "ebt/train/trainer.h"
#include "flags.h"
#include "recipes.h"

namespace ebt {
namespace {

// Flags that set several fields at once, and what to do with a folder that holds a run.
struct TrainFlags {
  std::string size = "4xs";
  std::string recipe = "s1";
  std::string resume;
  bool overwrite = false;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("size", size,
          "published size, sets layers, width and heads: 4xs 3xs xxs xs small medium large xl");
    visit("recipe", recipe,
          "sets how the model thinks in training: s1 (fast) or s2 (learns to think longer)");
    visit("resume", resume,
          "folder of an interrupted run to continue; takes only --threads beside");
    visit("overwrite", overwrite, "replace the run that --out holds");
  }
};

constexpr const char* kExamples =
    "Examples:\n"
    "  ebt train --out model                               # 4xs on the manual of CMake\n"
    "  ebt train --data book.txt --size xxs --steps 3000 --out book\n"
    "  ebt train --data book.txt --recipe s2 --out book-s2\n"
    "  ebt train --data book.txt --arch transformer_pp --out baseline\n"
    "  ebt train --data book.txt --tokenizer tokenizer.json --out words\n"
    "  ebt train --data shards --out words               # what 'ebt data prepare' made\n"
    "  ebt train --resume book                           # after Ctrl-C, a crash, a full disk\n"
    "  ebt train --config book/config.json --seed 1 --out book-1\n"
    "The folder holds config.json, model.safetensors, the training state and metrics.jsonl. The "
    "same\n"
    "seed gives the same model on any number of threads, interrupted or not.";

volatile std::sig_atomic_t stop_signal = 0;

// The second signal ends the program at once.
void request_stop(int signal) {
  stop_signal = 1;
  std::signal(signal, SIG_DFL);
}

TrainConfig config_of(const TrainFlags& train, const Flags& flags) {
  TrainConfig config;
  const ModelSize& size = model_size(train.size);
  config.model.layers = size.layers;
  config.model.width = size.width;
  config.model.heads = size.heads;
  apply_recipe(train.recipe, config);
  flags.apply_to(config);
  // The config.json of a model names a file beside it.
  const std::filesystem::path beside =
      std::filesystem::path(flags.config_file()).parent_path() / config.data.tokenizer;
  if (!flags.config_file().empty() && !flags.on_command_line().contains("tokenizer") &&
      config.data.tokenizer != kByteTokenizer && std::filesystem::is_regular_file(beside)) {
    config.data.tokenizer = beside.string();
  }
  return config;
}

void remove_run(const std::filesystem::path& folder) {
  if (!std::filesystem::is_directory(folder)) {
    return;
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name == kConfigFile || name == kModelFile || name == kMetricsFile ||
        name.starts_with("training-state-")) {
      std::filesystem::remove(entry.path());
    }
  }
}

Trainer<float> make_trainer(const Flags& flags) {
  TrainFlags train;
  flags.apply_to(train);
  if (!train.resume.empty()) {
    std::optional<int64_t> threads;
    for (const auto& [name, value] : flags.on_command_line().items()) {
      EBT_CHECK(name == "resume" || name == "threads",
                "--{} cannot change with --resume: a run goes on as it began", name);
      if (name == "threads") {
        threads = value.get<int64_t>();
      }
    }
    return Trainer<float>::resume(train.resume, threads);
  }
  const TrainConfig config = config_of(train, flags);
  EBT_CHECK(
      train.overwrite || !has_model(config.run.out),
      "'{0}' holds a run already: continue it with --resume {0}, replace it with --overwrite, "
      "or choose another folder with --out",
      config.run.out);
  if (train.overwrite) {
    // Whatever the new run would be refused for must not cost the old one.
    config.check();
    const auto tokenizer =
        open_tokenizer(chosen_tokenizer(config.data.tokenizer, config.data.data));
    TokenCorpus::open(config.data.data, config.data.text_field, *tokenizer)
        .split(config.data.validation, config.model.context);
    remove_run(config.run.out);
  }
  return Trainer<float>::start(config);
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

void print_result(const TrainConfig& config, const TrainingProgress& progress, int64_t parameters,
                  const std::optional<ValidationReport>& validation, const Flags& flags) {
  const bool finished = progress.step >= config.run.steps;
  if (!flags.json()) {
    fmt::print("{} step {} of {}: '{}' holds a model of {} weights\n",
               finished ? "finished" : "stopped after", progress.step, config.run.steps,
               config.run.out, format_count(static_cast<double>(parameters)));
    return;
  }
  Json result;
  result["model"] = config.run.out;
  result["finished"] = finished;
  result["step"] = progress.step;
  result["steps"] = config.run.steps;
  result["skipped_steps"] = progress.skipped_steps;
  result["parameters"] = parameters;
  if (validation.has_value()) {
    const Evaluation& evaluation = validation->evaluation;
    result["validation"] = {{"step", validation->step},
                            {"loss", evaluation.loss()},
                            {"perplexity", evaluation.perplexity()},
                            {"bits_per_byte", evaluation.bits_per_byte()},
                            {"loss_per_step", evaluation.losses()}};
  }
  fmt::print("{}\n", result.dump(2));
}

void run_train(const Flags& flags) {
  Trainer<float> trainer = make_trainer(flags);
  const TrainConfig& config = trainer.config();
  const int64_t parameters = trainer.model().layout().count();
  ProgressLine line;
  line.note(fmt::format("{}: {} weights, {} steps of {} x {} tokens, into '{}'",
                        enum_name(config.model.arch), format_count(static_cast<double>(parameters)),
                        config.run.steps, config.run.batch, config.model.context, config.run.out));
  const MemoryPlan plan = plan_memory<float>(config);
  line.note(fmt::format("{} ({}), {} of memory{}, {} rows at a time", config.run.precision,
                        config.run.precision == "bf16" ? kernels::bf16_engine()
                                                       : kernels::isa_name(kernels::active_isa()),
                        format_bytes(plan.needed_bytes),
                        plan.available_bytes
                            ? fmt::format(" of {} available", format_bytes(*plan.available_bytes))
                            : "",
                        plan.micro_batch));
  std::optional<ValidationReport> last_validation;
  TrainingObserver observer;
  observer.on_step = [&](const StepReport& report) { line.update(progress_text(report)); };
  observer.on_validation = [&](const ValidationReport& report) {
    line.note(validation_text(report));
    last_validation = report;
  };
  observer.stop_requested = [] { return stop_signal != 0; };
  std::signal(SIGINT, request_stop);
  std::signal(SIGTERM, request_stop);
  trainer.run(observer);
  line.finish();
  if (trainer.progress().step < config.run.steps) {
    fmt::print(stderr, "stopped, and saved; go on with: ebt train --resume {}\n", config.run.out);
  }
  print_result(config, trainer.progress(), parameters, last_validation, flags);
}

}  // namespace

void register_train(CLI::App& app) {
  add_command(
      app, "train",
      "Train a model on text: an Energy-Based Transformer, or the Transformer++ baseline.",
      kExamples,
      [](Flags& flags) {
        flags.bind(TrainFlags{}, "Presets and folders (explicit flags override presets)");
        flags.bind(RunConfig{}, "Run");
        flags.bind(DataConfig{}, "Text");
        flags.bind(TrainConfig{}.model, "Model", "vocab-size");
        flags.bind(ThinkingConfig{}, "Thinking");
        flags.bind(OptimizerConfig{}, "Optimizer");
      },
      run_train);
}

}  // namespace ebt
