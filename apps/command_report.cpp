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
#include "ebt/core/printable.h"
#include "ebt/core/threads.h"
#include "ebt/data/tokenizer/tokenizer.h"
#include "ebt/io/file.h"
#include "ebt/model/model_folder.h"
#include "ebt/report/html_report.h"
#include "ebt/report/shell.h"
#include "ebt/think/open_model.h"
#include "ebt/train/metrics_log.h"
#include "evaluation.h"
#include "flags.h"
#include "output.h"
#include "rules.h"

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
  int64_t threads = 0;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("model", model, "folder of the model");
    visit("out", out, "page to write");
    visit("figure", figure, "also write the figure of energy and text as an SVG of its own");
    text.visit_fields(visit);
    visit("think-steps", think_steps,
          "thinking steps to evaluate with; on the last landscape, to write with");
    visit("windows", windows, "windows of text to evaluate on, spread evenly; 0 is the whole text");
    visit("prompt", prompt, "text to continue; default: the first words of the text");
    visit("tokens", tokens, "most tokens to write after it");
    visit("threads", threads, kThreadsHelp);
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
constexpr SamplingOptions kReportSampling{.temperature = 0.8, .top_p = 0.95};

// What the first row asks, or the first whole words of a text.
std::string first_words(const SelectedText& selected, const Tokenizer& tokenizer) {
  constexpr std::ptrdiff_t kWanted_bytes = 64;
  Batch batch;
  selected.rows->fill(batch, 0, 1);
  const auto begin = batch.inputs.begin();
  if (selected.has_answers) {
    const auto answer = std::find_if(batch.targets.begin(), batch.targets.end(),
                                     [](int32_t target) { return target != kIgnoredTarget; });
    return tokenizer.decode({begin, begin + (answer - batch.targets.begin()) + 1});
  }
  const auto end = begin + std::min(kWanted_bytes, std::ssize(batch.inputs));
  const std::string text =
      tokenizer.decode({begin, std::find(begin, end, tokenizer.document_separator())});
  // A validation part may begin within a word.
  const size_t first = text.find_first_of(" \n");
  const size_t last = text.find_last_of(" \n");
  return first == last ? text : text.substr(first + 1, last - first);
}

// What the model writes after the report's prompt.
std::vector<TokenEnergy> write_sample(const ReportFlags& flags, const SamplingOptions& sampling,
                                      const Tokenizer& tokenizer, const std::string& prompt,
                                      ProgressLine& line) {
  GenerationRequest request;
  request.prompt = tokenizer.encode(prompt);
  if (request.prompt.empty()) {
    request.prompt = {tokenizer.document_separator()};
  }
  request.max_tokens = flags.tokens;
  request.end_token = tokenizer.document_separator();
  request.think.steps = flags.think_steps;
  request.think.seed = sampling.seed;
  request.sampling = sampling;
  std::vector<TokenEnergy> sample;
  const auto generator = load_generator(flags.model, {.texts = 1});
  const auto on_token = [&](const TokenReport& report) {
    std::vector<double> energy;
    for (const ThinkingState& state : report.states) {
      energy.push_back(state.energy);
    }
    sample.push_back({tokenizer.decode({&report.token, 1}), std::move(energy)});
    line.update(fmt::format("writing: {} of {} tokens", sample.size(), flags.tokens));
  };
  generator->submit(std::move(request), {on_token, &check_finite});
  while (generator->step()) {
  }
  return sample;
}

// How to train the model anew, beside itself, and how to write this page.
std::vector<std::string> commands_of(const ReportFlags& flags, const SamplingOptions& sampling,
                                     const TextTrainConfig& config) {
  const std::string config_file = (std::filesystem::path(flags.model) / kConfigFile).string();
  return {"ebt train" + shell_flag("config", config_file) +
              shell_flag("out", config.run.out + "-again"),
          "ebt report" + shell_flags(fields_to_json(flags), fields_to_json(ReportFlags{})) +
              shell_flags(fields_to_json(sampling), fields_to_json(kReportSampling))};
}

std::string size_name(const TextModelConfig& model) {
  for (const ModelSize& size : model_sizes()) {
    if (size.layers == model.layers && size.width == model.width && size.heads == model.heads) {
      return size.name + ", ";
    }
  }
  return "";
}

void describe(const TextTrainConfig& config, const SelectedText& text, int64_t parameters,
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
  SamplingOptions sampling = kReportSampling;
  command_flags.apply_to(flags);
  command_flags.apply_to(sampling);
  sampling.check();
  const TextTrainConfig config = open_config(flags.model);
  check_counts({{"think-steps", flags.think_steps, 1},
                {"windows", flags.windows, 0},
                {"tokens", flags.tokens, 0}});
  use_threads(flags.threads);

  ReportData report;
  const std::filesystem::path metrics = std::filesystem::path(flags.model) / kMetricsFile;
  if (std::filesystem::exists(metrics)) {
    report.history = read_training_history(metrics);
  }
  const auto tokenizer = load_tokenizer(flags.model);
  const SelectedText text = select_text(flags.text, config, *tokenizer);
  const auto model = load_model<float>(flags.model, kEvaluationRows);
  ProgressLine line;
  line.note(fmt::format("evaluating on {}", text.name));
  report.evaluation =
      evaluation_rows(evaluate(*model, *text.rows, kEvaluationRows,
                               {.steps = flags.think_steps, .seed = sampling.seed}, flags.windows));
  report.prompt = flags.prompt.empty() ? first_words(text, *tokenizer) : flags.prompt;
  report.sample = write_sample(flags, sampling, *tokenizer, report.prompt, line);
  line.finish();
  report.commands = commands_of(flags, sampling, config);
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
    output_json(result);
  } else {
    fmt::print("wrote {}{}\n", printable(flags.out),
               flags.figure.empty() ? "" : " and " + printable(flags.figure));
  }
}

}  // namespace

void register_report(CLI::App& app) {
  add_command(
      app, "report", "Write a page that shows how a model learned, thinks and writes.", kExamples,
      [](Flags& flags) {
        flags.bind(ReportFlags{}, "Report");
        flags.bind(kReportSampling, "Sampling");
        flags.flags({"think-steps"}).only_where(where_it_thinks());
        flags.writes(OutputKind::kFile);
      },
      run_report);
}

}  // namespace ebt
