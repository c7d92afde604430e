#include <fmt/format.h>

#include <string>

#include "commands.h"
#include "evaluation.h"
#include "flags.h"

namespace ebt {
namespace {

struct EvalFlags {
  std::string model;
  TextSelection text;
  int64_t think_steps = 0;
  int64_t windows = 0;
  int64_t batch = 16;
  uint64_t seed = 0;
  int64_t threads = 0;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("model", model, "folder of the model");
    text.visit_fields(visit);
    visit("think-steps", think_steps, "thinking steps; 0 takes as many as in training");
    visit("windows", windows, "windows of text to measure, spread evenly; 0 is the whole text");
    visit("batch", batch, "windows at a time; results do not depend on it");
    visit("seed", seed, "seed of the initial predictions");
    visit("threads", threads, "CPU threads; 0 uses all cores. Results do not depend on it");
  }
};

constexpr const char* kExamples =
    "Examples:\n"
    "  ebt eval --model model                              # the text kept out of training\n"
    "  ebt eval --model model --think-steps 4              # after each of 4 thinking steps\n"
    "  ebt eval --model model --data other.txt --json      # the whole of another text\n"
    "Losses are totals over all tokens divided once; perplexity is e to the loss, and bits per "
    "byte\n"
    "compare models with different tokenizers.";

void print_table(const Evaluation& evaluation, const std::string& text_name) {
  fmt::print("{}: {} tokens\n\n", text_name, evaluation.tokens);
  fmt::print("{:>14}  {:>11}  {:>10}  {:>9}  {:>10}\n", "thinking steps", "nats/token",
             "perplexity", "bits/byte", "energy");
  for (const EvaluationRow& row : evaluation_rows(evaluation)) {
    const std::string energy =
        row.energy.has_value() ? fmt::format("{:.4g}", *row.energy) : std::string("-");
    fmt::print("{:>14}  {:>11.4f}  {:>10.3f}  {:>9.4f}  {:>10}\n", row.thinking_steps, row.loss,
               row.perplexity, row.bits_per_byte, energy);
  }
  if (!evaluation.total_energy.empty()) {
    fmt::print("\nenergy: the mean before the step; loss: after it\n");
  }
}

void print_json(const Evaluation& evaluation, const EvalFlags& eval, const std::string& text_name) {
  Json result;
  result["model"] = eval.model;
  result["text"] = text_name;
  result["tokens"] = evaluation.tokens;
  result["bytes"] = evaluation.bytes;
  result["thinking_steps"] = evaluation.losses().size();
  result["loss"] = evaluation.loss();
  result["perplexity"] = evaluation.perplexity();
  result["bits_per_byte"] = evaluation.bits_per_byte();
  for (const char* key : {"loss_per_step", "perplexity_per_step", "bits_per_byte_per_step"}) {
    result[key] = Json::array();
  }
  for (const EvaluationRow& row : evaluation_rows(evaluation)) {
    result["loss_per_step"].push_back(row.loss);
    result["perplexity_per_step"].push_back(row.perplexity);
    result["bits_per_byte_per_step"].push_back(row.bits_per_byte);
  }
  result["energy_per_step"] = evaluation.energies();
  fmt::print("{}\n", result.dump(2));
}

void run_eval(const Flags& flags) {
  EvalFlags eval;
  flags.apply_to(eval);
  const TrainConfig config = open_config(eval.model);
  check_counts({{"think-steps", eval.think_steps, 0},
                {"windows", eval.windows, 0},
                {"batch", eval.batch, 1}});
  use_threads(eval.threads);
  const SelectedText text = select_text(eval.text, config);
  const auto model = load_model<float>(eval.model, eval.batch);
  const Evaluation evaluation =
      evaluate(*model, text.windows, eval.batch,
               PassOptions{.steps = eval.think_steps, .seed = eval.seed}, eval.windows);
  if (flags.json()) {
    print_json(evaluation, eval, text.name);
  } else {
    print_table(evaluation, text.name);
  }
}

}  // namespace

void register_eval(CLI::App& app) {
  add_command(
      app, "eval", "Measure how well a model predicts a text, after every thinking step.",
      kExamples, [](Flags& flags) { flags.bind(EvalFlags{}, "Evaluation"); }, run_eval);
}

}  // namespace ebt
