// `ebt lab`: experiments, from a question to a page that answers it.
#include <fmt/format.h>

#include <optional>
#include <string>

#include "commands.h"
#include "ebt/core/printable.h"
#include "ebt/core/threads.h"
#include "ebt/io/file.h"
#include "ebt/io/folder.h"
#include "ebt/report/shell.h"
#include "evaluation.h"
#include "flags.h"
#include "lab/lab.h"
#include "lab/lab_comparison.h"
#include "lab/scale_lab.h"
#include "lab/think_lab.h"
#include "lab/transcend_lab.h"
#include "output.h"
#include "stop_signals.h"

namespace ebt {
namespace {

struct LabFlags {
  std::string out;
  bool quick = false;
  int64_t threads = 0;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("out", out, "folder of the experiment; the same command goes on in it");
    visit("quick", quick, "a small version that takes a minute or two; flags override it");
    visit("threads", threads, kThreadsHelp);
  }
};

constexpr const char* kTranscendExamples =
    "Examples:\n"
    "  ebt lab transcend --quick\n"
    "  ebt lab transcend --settings denoising --expert-grid 1,10,100 --out denoising\n"
    "  ebt lab transcend --entities 25000 --types 8 --relations 39 --edges 54500 --out published\n"
    "The folder's report.html answers, and is written anew after every run.";

constexpr const char* kThinkExamples =
    "Examples:\n"
    "  ebt lab think --quick\n"
    "  ebt lab think --puzzles sudoku,maze --steps 5000 --out puzzles\n"
    "  ebt lab think --out thinking --threads 1 &            # two processes share the runs\n"
    "  ebt lab think --out thinking --threads 1\n"
    "The folder's report.html answers, and is written anew after every run.";

constexpr const char* kScaleExamples =
    "Examples:\n"
    "  ebt lab scale --quick\n"
    "  ebt lab scale --data book.txt --out scaling           # a quarter of an hour\n"
    "  ebt lab scale --data book.txt --learners transformer_pp,s2 --seeds 3 --out night\n"
    "The folder's report.html answers, and is written anew after every run.";

constexpr const char* kCompareExamples =
    "Examples:\n"
    "  ebt lab compare think-s1 think-s2\n"
    "  ebt lab compare scale-a scale-b --out comparison.html";

void print_state(const LabRun& run, const LabState& state, const LabReport& report, bool json) {
  if (json) {
    output_json(lab_summary(report, state));
    return;
  }
  for (const LabAnswer& answer : report.answers) {
    fmt::print("{:>12}  {}\n              {}\n", verdict_in_words(answer.verdict), answer.claim,
               answer.evidence);
  }
  fmt::print("{} of {} runs are done{}; '{}' has all of it\n", state.done, state.jobs,
             state.failures.empty() ? "" : fmt::format(", {} failed", state.failures.size()),
             printable((run.folder / "report.html").string()));
}

// The command line that repeats an experiment: what differs from the defaults.
template <class Config>
std::string command_of(const std::string& name, const LabFlags& lab, const Config& config) {
  const Json usual = fields_to_json(lab.quick ? Config::quick() : Config{});
  return "ebt lab " + name + (lab.quick ? " --quick" : "") +
         shell_flags(fields_to_json(config), usual) + shell_flag("out", lab.out);
}

template <class LabType, class Config>
void run_experiment(const Flags& flags, const std::string& name) {
  LabFlags lab_flags;
  flags.apply_to(lab_flags);
  Config config = lab_flags.quick ? Config::quick() : Config{};
  flags.apply_to(config);
  use_threads(lab_flags.threads);
  if (lab_flags.out.empty()) {
    lab_flags.out = "lab-" + name;
  }
  if constexpr (requires { config.data; }) {
    check_outside(lab_flags.out, config.data, "text");
  }
  const LabType lab(config);
  const StopConditions conditions(0);
  LabRun run;
  run.folder = lab_flags.out;
  run.command = command_of(name, lab_flags, config);
  run.stop_requested = [&] { return conditions.stop(); };
  const LabOutcome outcome = run_lab(lab, run);
  print_state(run, outcome.state, outcome.report, flags.json());
  EBT_CHECK(outcome.state.failures.empty(), "{} of {} runs failed: '{}' says why",
            outcome.state.failures.size(), outcome.state.jobs,
            (run.folder / "report.html").string());
}

struct ComparedLabs {
  std::string first;
  std::string second;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("A", first, "folder of an experiment");
    visit("B", second, "folder of another");
  }
};

struct CompareFlags {
  std::string out;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("out", out, "HTML page that shows both, with their figures");
  }
};

void compare(const Flags& flags) {
  ComparedLabs labs;
  CompareFlags compare_flags;
  flags.apply_to(labs);
  flags.apply_to(compare_flags);
  EBT_CHECK(!labs.first.empty() && !labs.second.empty(),
            "name the folders of two experiments, as in 'ebt lab compare A B'");
  const FinishedLab first = FinishedLab::open(labs.first);
  const FinishedLab second = FinishedLab::open(labs.second);
  if (!compare_flags.out.empty()) {
    write_file_atomically(compare_flags.out, comparison_page(first, second));
  }
  if (flags.json()) {
    output_json(compare_labs(first, second));
  } else {
    fmt::print("{}", escape_bytes(comparison_text(first, second)));
  }
}

template <class LabType, class Config>
void add_experiment(CLI::App& lab, const std::string& name, const std::string& description,
                    const std::string& examples) {
  add_command(
      lab, name, description, examples,
      [](Flags& flags) {
        flags.bind(LabFlags{}, "Experiment");
        flags.bind(Config{}, "Settings");
        flags.writes(OutputKind::kLabFolder);
      },
      [name](const Flags& flags) { run_experiment<LabType, Config>(flags, name); });
}

}  // namespace

void register_lab(CLI::App& app) {
  CLI::App* lab = app.add_subcommand(
      "lab",
      "Experiments: each trains what it needs, and writes a page that answers its question.");
  lab->require_subcommand(1);
  add_experiment<TranscendLab, TranscendLabConfig>(
      *lab, "transcend", "Can a model be better than every expert it learned from?",
      kTranscendExamples);
  add_experiment<ThinkLab, ThinkLabConfig>(
      *lab, "think", "Does thinking help with what is harder than anything in training?",
      kThinkExamples);
  add_experiment<ScaleLab, ScaleLabConfig>(
      *lab, "scale",
      "How fast do models get better with more of everything, and who ends up ahead?",
      kScaleExamples);
  add_command(
      *lab, "compare", "Two experiments side by side.", kCompareExamples,
      [](Flags& flags) {
        flags.bind_positional(ComparedLabs{}, "Experiments");
        flags.bind(CompareFlags{}, "Output");
        flags.writes(OutputKind::kFile);
      },
      compare);
}

}  // namespace ebt
