#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "board_view.h"
#include "commands.h"
#include "ebt/core/message.h"
#include "ebt/core/printable.h"
#include "ebt/core/share_progress.h"
#include "ebt/core/threads.h"
#include "ebt/core/work_watch.h"
#include "ebt/data/answers/answer_rows.h"
#include "ebt/io/byte_stream.h"
#include "ebt/think/open_model.h"
#include "ebt/think/solver.h"
#include "evaluation.h"
#include "flags.h"
#include "output.h"
#include "rules.h"

namespace ebt {
namespace {

struct PuzzleWords {
  std::string puzzle;  // lines

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("puzzle", puzzle,
          "what to solve, as in the training data; default: standard input, a puzzle a line");
  }
};

struct SolveFlags {
  std::string model;
  std::string precision = "fp32";
  int64_t threads = 0;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("model", model, "folder of a model that 'ebt train infill' made");
    visit("precision", precision,
          "fp32, bf16, or auto: bf16 where the CPU multiplies it natively. fp32 tells energies "
          "that are nearly equal apart");
    visit("threads", threads, kThreadsHelp);
  }
};

constexpr const char* kExamples =
    "Examples:\n"
    "  ebt solve --model m 000105310000040003600020003500050040\n"
    "  ebt solve --model m --restarts 16 PUZZLE       # the answer of least energy of sixteen\n"
    "  ebt solve --model m --search 64 PUZZLE         # and go on from the best one found so far\n"
    "  ebt solve --model m --think-steps 32 --search 64 --json < puzzles.txt\n"
    "A thought starts from noise and takes --think-steps downhill; its answer is what leads in "
    "the\n"
    "end. Where it went astray, another start (--restarts) or a kick (--search) may not, and the\n"
    "energy of the answers, written out, tells which to keep. On a terminal the board fills in as\n"
    "the model thinks, in orange where it is unsure and in blue where it is sure. With --json,\n"
    "every puzzle gives one line: puzzle, solution, energy, steps of the thought that is kept,\n"
    "passes (steps of all thoughts), restarts, and how many of them agreed in the solution; or\n"
    "puzzle and error.";

struct Puzzle {
  std::string name;  // as errors begin
  std::string text;
  std::string error;  // why it cannot be solved
};

std::vector<Puzzle> read_puzzles(const std::string& words) {
  std::vector<Puzzle> puzzles;
  int64_t number = 0;
  const auto add = [&](const char* what, std::string line) {
    ++number;
    line.erase(line.find_last_not_of("\r\n") + 1);
    if (line.find_first_not_of(" \t") != std::string::npos) {
      puzzles.push_back({fmt::format("{} {}", what, number), std::move(line), ""});
    }
  };
  if (!words.empty()) {
    for (size_t begin = 0; begin < words.size();) {
      const size_t end = std::min(words.find('\n', begin), words.size());
      add("puzzle", words.substr(begin, end - begin));
      begin = end + 1;
    }
  } else {
    EBT_CHECK(isatty(STDIN_FILENO) == 0,
              "no puzzle: name one, or write some to standard input, one a line");
    constexpr size_t kMostBytes = 1'000'000;
    BufferedBytes input(open_bytes("-").stream);
    for (std::string line; input.read_line(line, kMostBytes);) {
      add("line", std::move(line));
    }
  }
  EBT_CHECK(!puzzles.empty(), "no puzzle: there is none on standard input");
  return puzzles;
}

class SolveCommand {
 public:
  SolveCommand(LoadedInfillModel loaded, const SolveOptions& options, bool json,
               std::vector<Puzzle> puzzles)
      : model_(std::move(loaded.model)),
        encoder_(loaded.format),
        options_(options),
        json_(json),
        puzzles_(std::move(puzzles)) {}

  void run() {
    encode();
    const char* const no_color = std::getenv("NO_COLOR");
    const bool draws =
        !json_ && isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0');
    const WorkWatch watch{nullptr, [&](double share) {
                            if (!draws && share > 0) {
                              progress_.update(fmt::format("solving {} puzzles", rows_.rows),
                                               share);
                            }
                          }};
    const WatchedWork watched(watch);
    work_in_parts(
        rows_.rows, draws ? 1 : rows_together(model_->config()),
        [&](int64_t first, int64_t count) { draws ? watch_one(first) : solve_some(first, count); });
    pass_over_bad_lines();
    const auto bad = std::count_if(puzzles_.begin(), puzzles_.end(),
                                   [](const Puzzle& puzzle) { return !puzzle.error.empty(); });
    EBT_CHECK(bad == 0, "{} of {} puzzles could not be read", bad, puzzles_.size());
  }

 private:
  void encode() {
    const int64_t length = encoder_.format().length;
    rows_.length = length;
    for (Puzzle& puzzle : puzzles_) {
      std::vector<int32_t> tokens(static_cast<size_t>(length));
      std::vector<uint8_t> known(tokens.size());
      try {
        encoder_.encode_question(puzzle.name, puzzle.text, tokens, known);
        rows_.tokens.insert(rows_.tokens.end(), tokens.begin(), tokens.end());
        rows_.known.insert(rows_.known.end(), known.begin(), known.end());
        ++rows_.rows;
      } catch (const Error& error) {
        puzzle.error = error.what();
      }
    }
  }

  InfillRows part(int64_t first, int64_t count) const {
    return {rows_.token_view().slice(first, count), rows_.known_view().slice(first, count)};
  }

  void solve_some(int64_t first, int64_t count) {
    for (const Solution& solution : solve(*model_, part(first, count), options_)) {
      print(solution);
    }
  }

  // Draws the first thought step by step, slowly enough to be seen, then others as they come.
  void watch_one(int64_t row) {
    using Clock = std::chrono::steady_clock;
    const auto frame = std::min(std::chrono::milliseconds(50),
                                std::chrono::milliseconds(2500 / options_.steps + 1));
    const InfillRows one = part(row, 1);
    BoardView board(encoder_.format(), {one.known.begin(), one.known.end()});
    std::vector<std::vector<float>> sureness;  // of every thought
    Clock::time_point last_drawn;
    const auto see = [&](const SolverStep<float>& step) {
      const auto thought = static_cast<size_t>(step.thought);
      sureness.resize(std::max(sureness.size(), thought + 1));
      sureness[thought].resize(static_cast<size_t>(step.answer.count()));
      for (int64_t i = 0; i < step.answer.count(); ++i) {
        sureness[thought][static_cast<size_t>(i)] =
            step.probabilities[i * step.probabilities.dim(1) + step.answer[i]];
      }
      const bool first = thought == 0;
      if (first || Clock::now() >= last_drawn + frame) {
        board.draw({step.answer.begin(), step.answer.end()}, sureness[thought],
                   notes(step.thought, step.step + 1, step.energy));
        std::this_thread::sleep_for(first ? frame : frame.zero());
        last_drawn = Clock::now();
      }
    };
    pass_over_bad_lines();
    const Solution solution = std::move(solve<float>(*model_, one, options_, see).front());
    board.draw(solution.answer, sureness[static_cast<size_t>(solution.kept)],
               notes(solution.kept, solution.steps, solution.energy));
    print(solution);
  }

  bool has_energy() const { return model_->config().arch == InfillArchitecture::kEbt; }

  std::vector<std::string> notes(int64_t thought, int64_t step, double energy) const {
    std::vector<std::string> notes = {fmt::format("step {}", step)};
    if (has_energy()) {
      notes.push_back(fmt::format("energy {:.4f}", energy));
    }
    if (options_.restarts + options_.search > 1) {
      notes.push_back(
          fmt::format("thought {} of {}", thought + 1, options_.restarts + options_.search));
    }
    return notes;
  }

  void print(const Solution& solution) {
    pass_over_bad_lines();
    const Puzzle& puzzle = puzzles_[printed_++];
    const std::string answer = encoder_.decode(solution.answer);
    const int64_t restarts =
        std::min<int64_t>(options_.restarts, static_cast<int64_t>(solution.thoughts.size()));
    if (json_) {
      output_json({{"puzzle", puzzle.text},
                   {"solution", answer},
                   {"energy", has_energy() ? Json(solution.energy) : Json()},
                   {"steps", solution.steps},
                   {"passes", solution.passes},
                   {"restarts", restarts},
                   {"agreed", solution.agreed}},
                  -1);
    } else {
      fmt::print("{}", printable(answer));
      if (has_energy()) {
        fmt::print("  energy {:.4f}", solution.energy);
      }
      fmt::print("  {} steps", solution.passes);
      if (restarts > 1) {
        fmt::print("  {} of {} restarts agree", solution.agreed, restarts);
      }
      fmt::print("\n");
    }
    flush_output();
  }

  // Those that come next.
  void pass_over_bad_lines() {
    for (; printed_ < puzzles_.size() && !puzzles_[printed_].error.empty(); ++printed_) {
      const Puzzle& puzzle = puzzles_[printed_];
      if (json_) {
        output_json({{"puzzle", puzzle.text}, {"error", puzzle.error}}, -1);
      } else {
        progress_.note(message(puzzle.error));
      }
    }
  }

  std::unique_ptr<InfillModel<float>> model_;
  AnswerEncoder encoder_;
  SolveOptions options_;
  bool json_;
  std::vector<Puzzle> puzzles_;
  AnswerBatch rows_;  // of those that can be solved
  size_t printed_ = 0;
  ShareProgress progress_;
};

void run_solve(const Flags& command_flags) {
  SolveFlags flags;
  SolveOptions options;
  PuzzleWords words;
  command_flags.apply_to(flags);
  command_flags.apply_to(options);
  command_flags.apply_to(words);
  check_names_model(flags.model);
  options.check();
  use_threads(flags.threads);
  std::vector<Puzzle> puzzles = read_puzzles(words.puzzle);
  const auto thoughts = static_cast<int64_t>(puzzles.size()) * options.restarts;
  SolveCommand(load_infill_model(flags.model, thoughts, flags.precision), options,
               command_flags.json(), std::move(puzzles))
      .run();
}

}  // namespace

void register_solve(CLI::App& app) {
  add_command(
      app, "solve", "Solve puzzles, and fill in what is asked for, by thinking.", kExamples,
      [](Flags& flags) {
        flags.bind_words(PuzzleWords{}, "Puzzles", "\n");
        flags.bind(SolveFlags{}, "Solving");
        flags.bind(SolveOptions{}, "Thinking");
        flags.flags({"kick", "kick-noise", "kick-share", "kick-steps"}).only_where(with("search"));
        flags.flags({"stop-patience"}).only_where(with("stop-change"));
      },
      run_solve);
}

}  // namespace ebt
