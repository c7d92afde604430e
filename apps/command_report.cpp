#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "commands.h"
#include "ebt/core/log.h"
#include "ebt/data/tokenizer.h"
#include "ebt/io/file.h"
#include "ebt/report/html_report.h"
#include "ebt/think/generate.h"
#include "ebt/train/trainer.h"
#include "evaluation.h"
#include "flags.h"

namespace ebt {
namespace {

struct ReportFlags {
  std::string model;
  std::string out = "report.html";
  std::string figure;
  TextSelection text;
  int64_t think_steps = 4;
  int64_t windows = 0;
  std::string prompt;
  int64_t tokens = 600;
  double temperature = 0.8;
  double top_p = 0.95;
  uint64_t seed = 0;
  int64_t threads = 0;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("model", model, "folder of the model");
    visit("out", out, "page to write");
    visit("figure", figure, "also write the figure of energy and text as an SVG of its own");
    text.visit_fields(visit);
    visit("think-steps", think_steps, "most thinking steps to evaluate and generate with");
    visit("windows", windows, "windows of text to evaluate on, spread evenly; 0 is the whole text");
    visit("prompt", prompt, "text to continue; default: the first words of the text");
    visit("tokens", tokens, "most tokens to write after it");
    visit("temperature", temperature, "1 samples as predicted, 0 always takes the likeliest token");
    visit("top-p", top_p, "sample among the likeliest tokens that hold this probability together");
    visit("seed", seed, "seed of the samples");
    visit("threads", threads, "CPU threads; 0 uses all cores. Results do not depend on it");
  }
};

constexpr const char* kExamples =
    "Examples:\n"
    "  ebt report --model model                            # writes report.html\n"
    "  ebt report --model model --figure thinking.svg\n"
    "  ebt report --model model --prompt 'Once ' --out once.html\n"
    "The page shows how the model learned, how its energy falls while it thinks, what it writes, "
    "and\n"
    "how to repeat all of it. It is one file, and asks nothing of the network.";

constexpr int64_t kEvaluationRows = 16;

// The first whole words of a text.
std::string first_words(const ValidationWindows& windows, const Tokenizer& tokenizer) {
  constexpr std::ptrdiff_t kWanted_bytes = 64;
  Batch batch;
  windows.fill(batch, 0, 1);
  const auto begin = batch.inputs.begin();
  const auto end = begin + std::min(kWanted_bytes, std::ssize(batch.inputs));
  const std::string text =
      tokenizer.decode({begin, std::find(begin, end, tokenizer.document_separator())});
  // A validation part may begin within a word.
  const size_t first = text.find_first_of(" \n");
  const size_t last = text.find_last_of(" \n");
  return first == last ? text : text.substr(first + 1, last - first);
}

std::vector<std::string> commands_of(const ReportFlags& flags, const TrainConfig& config) {
  const std::string config_file = (std::filesystem::path(flags.model) / kConfigFile).string();
  return {
      fmt::format("ebt train --config {} --out {}-again", config_file, config.run.out),
      fmt::format("ebt eval --model {} --think-steps {}", flags.model, flags.think_steps),
      fmt::format("ebt report --model {} --seed {} --out {}", flags.model, flags.seed, flags.out)};
}

std::string size_name(const ModelConfig& model) {
  for (const ModelSize& size : model_sizes()) {
    if (size.layers == model.layers && size.width == model.width && size.heads == model.heads) {
      return size.name + ", ";
    }
  }
  return "";
}

void describe(const TrainConfig& config, const SelectedText& text, int64_t parameters,
              ReportData& report) {
  const bool thinks = config.model.arch == Architecture::kEbt;
  const TrainingHistory& history = report.history;
  const int64_t steps = history.training.empty() ? 0 : history.training.back().step;
  report.title = fmt::format("{} after {} training steps",
                             thinks ? "An Energy-Based Transformer" : "A Transformer++", steps);
  report.summary =
      fmt::format("{}{} layers of width {}{}. Measured on {}.", size_name(config.model),
                  config.model.layers, config.model.width,
                  thinks ? ", landscapes by " + enum_name(config.model.type) : "", text.name);
  const auto best = std::min_element(
      report.evaluation.begin(), report.evaluation.end(),
      [](const EvaluationRow& a, const EvaluationRow& b) { return a.loss < b.loss; });
  report.headlines = {{fmt::format("{:.3f}", best->loss), "nats per token"},
                      {fmt::format("{:.2f}", best->perplexity), "perplexity"},
                      {fmt::format("{:.3f}", best->bits_per_byte), "bits per byte"},
                      {format_count(static_cast<double>(parameters)), "weights"}};
  if (history.seconds > 0) {
    report.headlines.emplace_back(format_duration(history.seconds), "of training");
    report.headlines.emplace_back(
        format_count(static_cast<double>(history.tokens) / history.seconds), "tokens per second");
  }
}

void run_report(const Flags& command_flags) {
  ReportFlags flags;
  command_flags.apply_to(flags);
  const TrainConfig config = open_config(flags.model);
  check_counts({{"think-steps", flags.think_steps, 1},
                {"windows", flags.windows, 0},
                {"tokens", flags.tokens, 0}});
  use_threads(flags.threads);
  GenerateOptions options;
  options.tokens = flags.tokens;
  options.temperature = flags.temperature;
  options.top_p = flags.top_p;
  options.seed = flags.seed;
  options.think = PassOptions{.steps = flags.think_steps, .seed = flags.seed};
  options.check();

  ReportData report;
  const std::filesystem::path metrics = std::filesystem::path(flags.model) / kMetricsFile;
  if (std::filesystem::exists(metrics)) {
    report.history = read_training_history(metrics);
  }
  const SelectedText text = select_text(flags.text, config);
  const auto tokenizer = load_tokenizer(flags.model);
  options.document_separator = tokenizer->document_separator();
  const auto model = load_model<float>(flags.model, kEvaluationRows);
  ProgressLine line;
  line.note(fmt::format("evaluating on {}", text.name));
  report.evaluation = evaluation_rows(
      evaluate(*model, text.windows, kEvaluationRows, options.think, flags.windows));
  report.prompt = flags.prompt.empty() ? first_words(text.windows, *tokenizer) : flags.prompt;
  const auto on_token = [&](const GeneratedToken& token) {
    report.sample.push_back({tokenizer->decode({&token.token, 1}), token.energy});
    line.update(fmt::format("writing: {} of {} tokens", report.sample.size(), flags.tokens));
  };
  generate(*model, tokenizer->encode(report.prompt), options, on_token);
  line.finish();
  report.commands = commands_of(flags, config);
  report.config = fields_to_json(config);
  describe(config, text, model->layout().count(), report);

  write_file_atomically(flags.out, report_html(report));
  if (!flags.figure.empty()) {
    write_file_atomically(flags.figure, thinking_figure(report.prompt, report.sample));
  }
  if (command_flags.json()) {
    Json result;
    result["report"] = flags.out;
    result["figure"] = flags.figure.empty() ? Json() : Json(flags.figure);
    fmt::print("{}\n", result.dump(2));
  } else {
    fmt::print("wrote {}{}\n", flags.out, flags.figure.empty() ? "" : " and " + flags.figure);
  }
}

}  // namespace

void register_report(CLI::App& app) {
  add_command(
      app, "report", "Write a page that shows how a model learned, thinks and writes.", kExamples,
      [](Flags& flags) { flags.bind(ReportFlags{}, "Report"); }, run_report);
}

}  // namespace ebt
