// Puzzles for text models: an answer follows from its prompt by reasoning, can be checked, and is
// asked for at difficulties within the range of training and beyond it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lab/draws.h"

namespace ebt {

// Printable ASCII. A prompt ends in '=', which occurs nowhere else: prompt, answer and a line break
// make a line of training text.
struct PuzzleExample {
  std::string prompt;
  std::string answer;
};

// A difficulty: sizes (of what, the puzzle says), which its examples have equally often.
struct PuzzleLevel {
  std::string name;      // "5 to 8 symbols"
  bool trained = false;  // in the range of training, or harder
  int64_t least = 0;
  int64_t most = 0;
};

// Examples for training and those for tests never share their *subject*: what a model could
// remember of an example instead of working it out. Of a sudoku that is the solved board, so that
// no board of a test has been an answer in training, with whatever holes; of an addition the two
// numbers in either order; else the prompt.
enum class PuzzleSide { kTraining, kTest };

// A subject's side, which depends on nothing else: a tenth of all subjects are for tests. Where
// there are few subjects (288 boards of 4x4, 55 additions of single digits) tests have very few of
// them, and what they measure is not much more than how these few resemble the others.
PuzzleSide puzzle_side(std::string_view subject);

struct PuzzleConfig {
  std::string puzzle = "sudoku";
  int64_t trained_size = 0;
  int64_t board = 6;
  int64_t symbols = 10;
  int64_t kinds = 4;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("puzzle", puzzle, "sudoku, sorting, addition, brackets or maze");
    visit("trained-size", trained_size,
          "largest size in training: symbols to sort (0 is 12), digits to add (3), brackets to "
          "close (12), side of a maze (6); the holes of a sudoku follow from its board");
    visit("board", board, "cells along a side of a sudoku: 4, 6 or 9");
    visit("symbols", symbols, "different symbols to sort, 2 to 36");
    visit("kinds", kinds, "kinds of brackets, 1 to 4");
  }
};

// Immutable, and so safe to use from many threads.
class Puzzle {
 public:
  virtual ~Puzzle() = default;

  const std::string& name() const { return name_; }
  // The easiest first: three in the range of training, then two that are harder.
  const std::vector<PuzzleLevel>& levels() const { return levels_; }

  // Example `index` (below 2^27) of an endless sequence for each level, side and seed: the same
  // whenever it is asked for, and independent of those of other seeds. Throws Error when there is
  // no such level, or a level of so few subjects that none is on this side.
  PuzzleExample example(int64_t level, PuzzleSide side, uint64_t seed, int64_t index) const;

  // Whether `answer` is right; where several answers are, any of them. False for a prompt that is
  // none of this puzzle's.
  virtual bool is_right(std::string_view prompt, std::string_view answer) const = 0;

  // A bound of the bytes of prompt and answer over all levels.
  int64_t longest() const { return longest_of_size(levels_.back().most); }

 protected:
  Puzzle(std::string name, std::vector<PuzzleLevel> levels)
      : name_(std::move(name)), levels_(std::move(levels)) {}

 private:
  virtual std::string draw_subject(int64_t size, Draws& draws) const = 0;
  // The example of a subject; what it does not fix is drawn.
  virtual PuzzleExample ask(int64_t size, const std::string& subject, Draws& draws) const = 0;
  // Bytes of prompt and answer; not falling with the size.
  virtual int64_t longest_of_size(int64_t size) const = 0;

  std::string name_;
  std::vector<PuzzleLevel> levels_;
};

// The puzzle that a config names. Throws Error naming the first impossible field.
std::unique_ptr<Puzzle> make_puzzle(const PuzzleConfig& config);

// "4 to 6 digits", of plural units that end in "s"; "1 digit" of one.
PuzzleLevel puzzle_level(const std::string& units, int64_t least, int64_t most, bool trained);

// Three levels that share the sizes `least` to `most`, and two harder ones as wide as the third.
// Throws Error unless `most` is between least + 2 and `limit`.
std::vector<PuzzleLevel> puzzle_levels(const std::string& units, int64_t least, int64_t most,
                                       int64_t limit);

}  // namespace ebt
