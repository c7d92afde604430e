#include "data_puzzle.h"

#include <fmt/format.h>

#include <memory>
#include <string>

#include "ebt/core/log.h"
#include "ebt/core/printable.h"
#include "ebt/core/threads.h"
#include "ebt/data/puzzle/addition_generator.h"
#include "ebt/data/puzzle/colouring_generator.h"
#include "ebt/data/puzzle/maze_generator.h"
#include "ebt/data/puzzle/puzzle_file.h"
#include "ebt/data/puzzle/queens_generator.h"
#include "ebt/data/puzzle/sudoku_generator.h"
#include "flags.h"
#include "output.h"
#include "stop_signals.h"

namespace ebt {
namespace {

template <class Config>
using MakeGenerator = std::unique_ptr<PuzzleGenerator> (*)(const Config&);

// What answers of a kind are checked by.
template <class Config>
struct ShapeOf : Config {
  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    Config::visit_shape(visit);
  }
};

void draw_puzzles(const Flags& flags, const PuzzleGenerator& generator) {
  PuzzleFileConfig config;
  flags.apply_to(config);
  outlive_outputs();
  use_threads(config.threads);
  const PuzzleFileSummary summary = write_puzzles(generator, config);
  if (flags.json()) {
    output_json({{"puzzles", config.out},
                 {"count", summary.count},
                 {"rejected", summary.rejected},
                 {"grid", fmt::format("{}x{}", generator.grid_rows(), generator.grid_columns())},
                 {"seed", config.seed}});
  } else {
    fmt::print("'{}' holds {} puzzles, no two alike, of {} x {} cells (--grid {}x{})\n",
               printable(config.out), summary.count, generator.grid_rows(),
               generator.grid_columns(), generator.grid_rows(), generator.grid_columns());
  }
}

struct CheckedFile {
  std::string file;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("file", file, "the file of answers: .csv, .tsv or .jsonl; - is standard input");
  }
};

struct CheckFlags {
  std::string puzzle_field = "puzzle";
  std::string answer_field = "solution";
  TextFormat as = TextFormat::kAuto;
  bool skip_bad_lines = false;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("puzzle-field", puzzle_field, "column or field of the puzzle");
    visit("answer-field", answer_field, "column or field of the answer");
    visit("as", as, "what the file is, whatever its name says: auto, jsonl, csv or tsv");
    visit("skip-bad-lines", skip_bad_lines, "pass over lines that cannot be read, and count them");
  }
};

void check_puzzles(const Flags& command_flags, const PuzzleGenerator& generator) {
  CheckedFile checked;
  CheckFlags flags;
  command_flags.apply_to(checked);
  command_flags.apply_to(flags);
  EBT_CHECK(!checked.file.empty(), "name the file whose answers are to be checked");
  TextSource source{checked.file};
  source.as = flags.as;
  source.skip_bad_lines = flags.skip_bad_lines;
  const AnswerCheck check =
      check_answers(generator, source, flags.puzzle_field, flags.answer_field);
  const double share = static_cast<double>(check.right) / static_cast<double>(check.rows);
  if (command_flags.json()) {
    output_json({{"file", checked.file},
                 {"rows", check.rows},
                 {"right", check.right},
                 {"solved", share},
                 {"faults", check.faults}});
    return;
  }
  fmt::print("{} of {} answers are right ({:.1f} %)\n", check.right, check.rows, 100 * share);
  for (const std::string& fault : check.faults) {
    fmt::print("{}\n", printable(fault));
  }
}

// A kind of puzzle as the commands describe it.
template <class Config>
struct Kind {
  const char* name;
  const char* about;     // "Draw ..."
  const char* examples;  // of drawing
  const char* heading;   // of its flags
  MakeGenerator<Config> make;
};

template <class Config>
void add_kind(CLI::App& puzzle, CLI::App& check, const Kind<Config>& kind) {
  add_command(
      puzzle, kind.name, kind.about, kind.examples,
      [kind](Flags& flags) {
        flags.bind(Config{}, kind.heading);
        flags.bind(PuzzleFileConfig{}, "File");
        flags.writes(OutputKind::kFile);
      },
      [kind](const Flags& flags) {
        Config config;
        flags.apply_to(config);
        draw_puzzles(flags, *kind.make(config));
      });
  add_command(
      check, kind.name,
      fmt::format(
          "Check answers of '{}': any valid one is right, whatever the file was drawn with.",
          kind.name),
      fmt::format("Example:\n  ebt data check {} answers.csv\nSays of the first five wrong answers "
                  "what is wrong with them.",
                  kind.name),
      [kind](Flags& flags) {
        flags.bind_positional(CheckedFile{}, "Input");
        flags.bind(CheckFlags{}, "Input");
        flags.bind(ShapeOf<Config>{}, kind.heading);
      },
      [kind](const Flags& flags) {
        ShapeOf<Config> shape;
        flags.apply_to(shape);
        check_puzzles(flags, *kind.make(shape));
      });
}

}  // namespace

void register_puzzles(CLI::App& data) {
  CLI::App* puzzle = data.add_subcommand(
      "puzzle", "Draw puzzles with their solutions, for models that think about whole answers.");
  puzzle->require_subcommand(1);
  CLI::App* check = data.add_subcommand("check", "Check answers of puzzles.");
  check->require_subcommand(1);
  add_kind<SudokuConfig>(
      *puzzle, *check,
      {"sudoku", "Draw sudokus of any size of boxes, each with one solution.",
       "Examples:\n"
       "  ebt data puzzle sudoku --boxes 2x3 --holes 6-16 --count 20000 --seed 1 --out train.csv\n"
       "  ebt data puzzle sudoku --boxes 2x3 --holes 20 --count 1000 --seed 2 --exclude train.csv "
       "--out hard.csv\n"
       "A cell is a character, row by row: digits, behind 9 letters, and 0 for what is asked. More "
       "holes are\nharder; boards of 9x9 with more than 57, and others close to the fewest digits "
       "that fix a board,\ntake ever longer to find.",
       "Sudoku", make_sudoku_generator});
  add_kind<MazeConfig>(
      *puzzle, *check,
      {"maze", "Draw mazes in which the shortest way is to be marked.",
       "Examples:\n"
       "  ebt data puzzle maze --rooms 3-5 --frame 8 --count 20000 --seed 1 --out train.csv\n"
       "  ebt data puzzle maze --rooms 8 --count 1000 --seed 2 --out larger.csv\n"
       "A maze of N rooms a side is a square of 2 N - 1 cells: # wall, S and E the ends of the "
       "way, "
       "0 asked;\nin the solution + lies on the way and . does not. Only one way is the shortest.",
       "Maze", make_maze_generator});
  add_kind<QueensConfig>(
      *puzzle, *check,
      {"queens", "Draw boards on which queens are to be placed that do not attack each other.",
       "Examples:\n"
       "  ebt data puzzle queens --board 8 --holes 3-6 --count 2000 --seed 1 --out train.csv\n"
       "  ebt data puzzle queens --board 6-8 --frame 10 --unique --count 1000 --out one.csv\n"
       "Q is a queen, 0 a square that is asked for, . an empty one and # outside the board.",
       "Queens", make_queens_generator});
  add_kind<ColouringConfig>(
      *puzzle, *check,
      {"colouring",
       "Draw graphs whose nodes are to be coloured, no edge between two of one colour.",
       "Examples:\n"
       "  ebt data puzzle colouring --nodes 6-10 --frame 14 --count 20000 --seed 1 --out "
       "train.csv\n"
       "  ebt data puzzle colouring --nodes 14 --degree 4.7 --count 1000 --seed 2 --out hard.csv\n"
       "A row is the adjacency matrix: x an edge, - none; the diagonal holds the colours, from 1, "
       "or "
       "0 for\nwhat is asked; # stands for nodes that are not there.",
       "Colouring", make_colouring_generator});
  add_kind<AdditionConfig>(
      *puzzle, *check,
      {"addition", "Draw additions, digit below digit, of which the sum is asked.",
       "Examples:\n"
       "  ebt data puzzle addition --digits 1-4 --frame 8 --count 20000 --seed 1 --out train.csv\n"
       "  ebt data puzzle addition --digits 8 --carries --count 1000 --seed 2 --out carries.csv\n"
       "Rows of the grid: with --carries 'c' and the carries, then '.' and a number, '+' and a "
       "number, '=' and\nthe sum. ? is a digit that is asked for.",
       "Addition", make_addition_generator});
}

}  // namespace ebt
