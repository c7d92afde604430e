// Writing files of puzzles, and checking the answers in them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ebt/core/threads.h"
#include "ebt/data/puzzle/puzzle_generator.h"
#include "ebt/data/text/text_source.h"

namespace ebt {

struct PuzzleFileConfig {
  int64_t count = 1000;
  uint64_t seed = 0;
  std::string exclude;
  std::string out = "puzzles.csv";
  int64_t threads = 0;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("count", count, "puzzles to draw, no two of them alike");
    visit("seed", seed,
          "which puzzles: the same seed draws the same ones, on any number of threads");
    visit("exclude", exclude,
          "a file of puzzles that the new ones share nothing with that could be remembered: of "
          "sudokus the solved board, of others the puzzle; for tests apart from training");
    visit("out", out, "file to write: a .csv with the columns puzzle and solution");
    visit("threads", threads, kThreadsHelp);
  }
};

// What was drawn.
struct PuzzleFileSummary {
  int64_t count = 0;
  int64_t rejected = 0;  // drawn as well, but alike others or excluded
};

// Draws config.count puzzles that differ from one another and share no subject with those of
// config.exclude, into a table with the columns puzzle and solution, through an AtomicFile. Uses
// OpenMP's threads; the file does not depend on their number. Above two seconds a progress line
// tells speed and time left. Throws Error when there are not so many different ones, and leaves no
// file then.
PuzzleFileSummary write_puzzles(const PuzzleGenerator& generator, const PuzzleFileConfig& config);

// Answers of a file, checked.
struct AnswerCheck {
  int64_t rows = 0;
  int64_t right = 0;
  std::vector<std::string> faults;  // of the first five: "line 3 of 'x.csv': row 1 holds 5 twice"
};

// Checks the answer of every record of a file (data/text/text_input.h): its fields are named
// `puzzle_field` and `answer_field`. Throws Error when the file cannot be read, or has no records.
AnswerCheck check_answers(const PuzzleGenerator& generator, const TextSource& source,
                          const std::string& puzzle_field, const std::string& answer_field);

}  // namespace ebt
