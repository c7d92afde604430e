#include "eval_infill.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>

#include "ebt/core/log.h"
#include "ebt/core/printable.h"
#include "ebt/core/share_progress.h"
#include "ebt/core/threads.h"
#include "ebt/data/answers/answer_data.h"
#include "ebt/data/puzzle/addition_generator.h"
#include "ebt/data/puzzle/colouring_generator.h"
#include "ebt/data/puzzle/maze_generator.h"
#include "ebt/data/puzzle/queens_generator.h"
#include "ebt/data/puzzle/sudoku_generator.h"
#include "ebt/eval/infill_run.h"
#include "ebt/io/file.h"
#include "ebt/io/folder.h"
#include "ebt/io/json_text.h"
#include "ebt/think/open_model.h"
#include "ebt/train/infill_train_config.h"
#include "ebt/train/run_config.h"
#include "evaluation.h"
#include "flags.h"
#include "output.h"

namespace ebt {
namespace {

struct EvalInfillFlags {
  std::string model;
  std::string data;
  int64_t rows = 0;
  std::string puzzle;
  std::string out;
  int64_t batch = 64;
  std::string precision = "auto";
  int64_t threads = 0;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("model", model, "folder of a model that 'ebt train infill' made");
    visit("data", data,
          "rows to solve, in a file like that of training; default: those that training kept for "
          "validation");
    visit("rows", rows, "rows to measure, spread evenly; 0 is all");
    visit("puzzle", puzzle,
          "kind of puzzle by whose rules any valid answer is right: sudoku, maze, queens, "
          "colouring or addition; default: right is the answer of the data");
    visit("out", out, "folder that receives the points as .csv and .json");
    visit("batch", batch, "rows at a time; results do not depend on it");
    visit("precision", precision, "fp32, bf16, or auto: bf16 where the CPU multiplies it natively");
    visit("threads", threads, kThreadsHelp);
  }
};

constexpr const char* kExamples =
    "Examples:\n"
    "  ebt eval infill --model solver                            # rows kept out of training\n"
    "  ebt eval infill --model solver --data hard.csv --think-steps 32\n"
    "  ebt eval infill --model solver --data hard.csv --restarts 16 --json\n"
    "  ebt eval infill --model solver --data hard.csv --search 64 --out results\n"
    "A pass is one thinking step about one row. 'solved' is the share of rows answered wholly and\n"
    "rightly, by what is kept; 'by_step' the same after every step of the first thought.";

// The rules of a kind of puzzle, of the shape that a format has.
std::unique_ptr<PuzzleGenerator> rules_of(const std::string& kind, const AnswerFormat& format) {
  if (kind == "sudoku") {
    SudokuConfig config;
    config.boxes = format.boxes.empty() ? config.boxes : format.boxes;
    return make_sudoku_generator(config);
  }
  if (kind == "colouring") {
    ColouringConfig config;
    config.colours =
        std::clamp<int64_t>(std::count_if(format.characters.begin(), format.characters.end(),
                                          [](char c) { return c >= '1' && c <= '9'; }),
                            2, 9);
    return make_colouring_generator(config);
  }
  EBT_CHECK(kind == "maze" || kind == "queens" || kind == "addition",
            "--puzzle must be sudoku, maze, queens, colouring or addition, not '{}'", kind);
  return kind == "maze"     ? make_maze_generator({})
         : kind == "queens" ? make_queens_generator({})
                            : make_addition_generator({});
}

void run_eval_infill(const Flags& command_flags) {
  EvalInfillFlags flags;
  SolveOptions options;
  command_flags.apply_to(flags);
  command_flags.apply_to(options);
  check_names_model(flags.model);
  check_counts({{"rows", flags.rows, 0}, {"batch", flags.batch, 1}});
  options.check();
  use_threads(flags.threads);
  const auto config = load_config<InfillTrainConfig>(flags.model);
  const LoadedInfillModel loaded =
      load_infill_model(flags.model, flags.batch * options.restarts, flags.precision);
  const AnswerFormat& format = loaded.format;
  AnswerDataConfig data = config.data;
  std::unique_ptr<AnswerSet> rows;
  if (flags.data.empty()) {
    rows = std::move(open_answer_data(data, config.run.seed).validation);
    EBT_CHECK(rows->count() > 0,
              "the model was trained on all of its rows (validation 0): name others with --data");
  } else {
    data.data = flags.data;
    rows = open_answers(data, format);
  }
  AnswerJudge judge;
  std::unique_ptr<PuzzleGenerator> rules;
  const AnswerEncoder encoder(format);
  if (!flags.puzzle.empty()) {
    rules = rules_of(flags.puzzle, format);
    judge = [&](Tensor<const int32_t> tokens, Tensor<const uint8_t> known,
                Tensor<const int32_t> answer) {
      const auto text = [&](Tensor<const int32_t> row) {
        return encoder.decode({row.data, static_cast<size_t>(row.count())});
      };
      std::string puzzle = text(tokens);
      for (size_t i = 0; i < puzzle.size(); ++i) {
        puzzle[i] = known.data[i] != 0 ? puzzle[i] : format.unknown.front();
      }
      return rules->fault(puzzle, text(answer)).empty();
    };
  }
  if (!flags.out.empty()) {
    check_outside(flags.out, flags.data, "rows");
    make_folder(flags.out);
  }
  InfillScores scores;
  {
    ShareProgress progress;
    scores = measure_answers(*loaded.model, *rows, options, flags.rows, flags.batch, judge,
                             [&](double done) { progress.update("solving", done); });
  }
  Json result = {{"model", flags.model}};
  result.update(scores.to_json());
  result["options"] = fields_to_json(options);
  if (!flags.out.empty()) {
    const std::filesystem::path folder = flags.out;
    const std::string table = (folder / "eval-infill.csv").string();
    const std::string points = (folder / "eval-infill.json").string();
    write_file_atomically(table, scores.to_csv());
    write_file_atomically(points, json_text(result, 2) + '\n');
    result["files"] = {{"table", table}, {"points", points}};
  }
  if (command_flags.json()) {
    output_json(result);
    return;
  }
  fmt::print("{}", scores.to_table());
  if (!flags.out.empty()) {
    for (const auto& [name, path] : result["files"].items()) {
      fmt::print("wrote {}\n", printable(path.get<std::string>()));
    }
  }
}

}  // namespace

void register_eval_infill(CLI::App& eval) {
  add_command(
      eval, "infill", "Measure how many whole answers a model gets right, for how much thinking.",
      kExamples,
      [](Flags& flags) {
        flags.bind(EvalInfillFlags{}, "Evaluation");
        flags.bind(SolveOptions{}, "Solving");
      },
      run_eval_infill);
}

}  // namespace ebt
