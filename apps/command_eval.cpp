#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "commands.h"
#include "ebt/core/printable.h"
#include "ebt/core/threads.h"
#include "ebt/eval/task_grid.h"
#include "ebt/eval/tasks.h"
#include "ebt/eval/think_grid.h"
#include "ebt/io/file.h"
#include "ebt/io/fingerprint.h"
#include "ebt/io/folder.h"
#include "ebt/io/json_text.h"
#include "ebt/model/model_folder.h"
#include "ebt/report/evaluation_figure.h"
#include "ebt/think/open_model.h"
#include "ebt/train/run_config.h"
#include "eval_image.h"
#include "eval_infill.h"
#include "eval_video.h"
#include "evaluation.h"
#include "flags.h"
#include "output.h"
#include "rules.h"

namespace ebt {
namespace {

struct EvalFlags {
  std::string model;
  std::string task = "text";
  TextSelection text;
  TaskOptions options;
  std::string baseline;
  std::string out;
  int64_t batch = 16;
  std::string precision = "auto";
  uint64_t seed = 0;
  int64_t threads = 0;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("model", model, "folder of the model");
    visit("task", task, "what to measure: text, lambada, gsm8k or bigbench");
    text.visit_fields(visit);
    visit("examples", options.examples,
          "examples (of a text: windows) to measure, spread evenly; 0 is all");
    visit("shots", options.shots,
          "gsm8k, bigbench: first examples of the file that precede every question");
    visit("answer-tokens", options.answer_tokens,
          "gsm8k, bigbench: most tokens of a written answer; 0 measures perplexity alone");
    visit("baseline", baseline, "folder of a Transformer++ to compare with");
    visit("out", out,
          "folder that receives the table, the figures and a journal, from which the same command "
          "goes on when it was interrupted");
    visit("batch", batch, "texts at a time; results do not depend on it");
    visit("precision", precision, "fp32, bf16, or auto: bf16 where the CPU multiplies it natively");
    visit("seed", seed, "seed of the initial predictions");
    visit("threads", threads, kThreadsHelp);
  }
};

constexpr const char* kExamples =
    "Examples:\n"
    "  ebt eval --model model                              # the text kept out of training\n"
    "  ebt eval --model model --data other.txt --grid 1,2,4,8 --out results\n"
    "  ebt eval --model model --grid 4 --candidates-grid 1,4 --baseline transformer\n"
    "  ebt eval --model model --task lambada --data lambada_test.jsonl --examples 500\n"
    "  ebt eval --model model --task gsm8k --data gsm8k_test.jsonl --shots 2 --json\n"
    "Every combination of the grids is a row: what it costs, in forward passes for each token, "
    "and\n"
    "how good it is. docs/evaluation.md defines the tasks and what is measured.";

std::unique_ptr<Task> open_task(const EvalFlags& eval, const TextTrainConfig& config) {
  std::shared_ptr<const Tokenizer> tokenizer = load_tokenizer(eval.model);
  const bool has_questions = eval.task == "gsm8k" || eval.task == "bigbench";
  EBT_CHECK(has_questions || eval.options.shots == 0, "--shots is for gsm8k and bigbench, not {}",
            eval.task);
  if (eval.task == "text") {
    const SelectedText text = select_text(eval.text, config, *tokenizer);
    return task_of(text, std::move(tokenizer), eval.options.examples);
  }
  EBT_CHECK(eval.task == "lambada" || has_questions,
            "--task must be text, lambada, gsm8k or bigbench, not '{}'", eval.task);
  EBT_CHECK(!eval.text.data.empty(), "--data is missing: name the file of --task {}", eval.task);
  EBT_CHECK(eval.text.split.empty(), "--split is for --task text, not {}", eval.task);
  EBT_CHECK(!eval.text.skip_bad_lines, "--skip-bad-lines is for --task text, not {}", eval.task);
  const auto open = eval.task == "lambada" ? lambada_task
                    : eval.task == "gsm8k" ? gsm8k_task
                                           : bigbench_task;
  return open(std::move(tokenizer), eval.text.data, eval.options);
}

// A baseline must read the same tokens: losses are compared token by token.
void check_baseline(const EvalFlags& eval) {
  const auto config = load_config<TextTrainConfig>(eval.baseline);
  EBT_CHECK(config.model.arch == Architecture::kTransformerPp,
            "--baseline: '{}' is no Transformer++", eval.baseline);
  const auto ours = load_tokenizer(eval.model);
  const auto theirs = load_tokenizer(eval.baseline);
  EBT_CHECK(ours->name() == theirs->name() && ours->vocabulary_size() == theirs->vocabulary_size(),
            "--baseline: '{}' has another tokenizer than '{}'", eval.baseline, eval.model);
}

// What the numbers of a model depend on, beside what it is asked.
Json identity(const std::filesystem::path& model, const std::string& precision) {
  return {{"weights", file_fingerprint(model / kModelFile)},
          {"config", file_fingerprint(model / kConfigFile)},
          {"precision", precision}};
}

// Writes the table and the figures; returns their paths.
Json write_files(const std::filesystem::path& folder, const TaskGrid& grid,
                 const std::string& model) {
  const auto path = [&](const char* ending) {
    return (folder / fmt::format("eval-{}{}", grid.task, ending)).string();
  };
  Json files = Json::object();
  const auto write = [&](const char* name, const char* ending, const std::string& text) {
    write_file_atomically(path(ending), text);
    files[name] = path(ending);
  };
  const std::string subject = fmt::format("{} · {}", model, grid.description);
  write("table", ".csv", grid.to_csv());
  write("points", ".json", json_text(grid.to_json(), 2) + '\n');
  write("figure", ".svg", quality_figure(quality_panels(grid), subject));
  // The last way of thinking of the grid: the one with most steps and candidates.
  const GridRow* thinking = nullptr;
  for (const GridRow& row : grid.rows) {
    thinking = row.has_energies() ? &row : thinking;
  }
  if (thinking != nullptr) {
    write("energy_figure", "-energy.svg",
          energy_loss_figure(thinking->totals.sums.energies, thinking->totals.sums.losses, subject,
                             fmt::format("{:.4g} steps a token, Pearson {:.3f}, Spearman {:.3f}",
                                         thinking->totals.steps_per_token(), thinking->pearson(),
                                         thinking->spearman())));
  }
  return files;
}

void run_eval(const Flags& flags) {
  EvalFlags eval;
  ThinkOptions think;
  ThinkGrid ways;
  flags.apply_to(eval);
  flags.apply_to(think);
  flags.apply_to(ways);
  const TextTrainConfig config = open_config(eval.model);
  check_counts({{"examples", eval.options.examples, 0},
                {"shots", eval.options.shots, 0},
                {"answer-tokens", eval.options.answer_tokens, 0},
                {"batch", eval.batch, 1}});
  use_threads(eval.threads);
  think.seed = eval.seed;
  const std::vector<ThinkOptions> options = ways.options(think);
  if (!eval.baseline.empty()) {
    check_baseline(eval);
  }
  const std::unique_ptr<Task> task = open_task(eval, config);
  std::optional<std::filesystem::path> folder;
  if (!eval.out.empty()) {
    folder = eval.out;
    check_outside(*folder, eval.text.data, "text");
    make_folder(*folder);
  }
  TaskGrid grid;
  grid.task = eval.task;
  grid.description = task->description();
  const auto measure = [&](const std::string& model, const char* name) {
    const auto generator = load_generator(model, {eval.batch, eval.precision});
    measure_grid({generator.get(), name, identity(model, eval.precision)}, *task, options, folder,
                 grid);
  };
  measure(eval.model, "model");
  if (!eval.baseline.empty()) {
    measure(eval.baseline, "baseline");
  }
  Json result = {{"model", eval.model}};
  result.update(grid.to_json());
  if (folder.has_value()) {
    result["files"] = write_files(*folder, grid, eval.model);
  }
  if (flags.json()) {
    output_json(result);
    return;
  }
  fmt::print("{}", grid.to_table());
  if (folder.has_value()) {
    for (const auto& [name, path] : result["files"].items()) {
      fmt::print("wrote {}\n", printable(path.get<std::string>()));
    }
  }
}

}  // namespace

void register_eval(CLI::App& app) {
  CLI::App* eval = add_command(
      app, "eval",
      "Measure how well a model predicts and answers, for how much thinking. 'ebt eval image' "
      "measures models of images.",
      kExamples,
      [](Flags& flags) {
        flags.bind(EvalFlags{}, "Evaluation");
        flags.bind(ThinkGrid{}, "Grid of ways of thinking").only_where(where_it_thinks());
        // A text whose thinking is cut short cannot be measured.
        flags.bind(ThinkOptions{}, "Thinking", {"think-budget"}).only_where(where_it_thinks());
        for (const auto& [one, grid] :
             {std::pair("think-steps", "grid"), std::pair("candidates", "candidates-grid"),
              std::pair("stop-change", "stop-grid")}) {
          flags.flags({one}).only_where(without(grid, "the grid says what to measure"));
        }
      },
      run_eval);
  eval->require_subcommand(0, 1);
  register_eval_image(*eval);
  register_eval_infill(*eval);
  register_eval_video(*eval);
}

}  // namespace ebt
