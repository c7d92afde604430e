#include "lab/puzzle.h"

#include <fmt/ranges.h>

#include <cstdlib>

#include "ebt/core/error.h"
#include "ebt/io/fingerprint.h"
#include "lab/addition.h"
#include "lab/brackets.h"
#include "lab/maze.h"
#include "lab/sorting.h"
#include "lab/sudoku.h"

namespace ebt {
namespace {

constexpr int64_t kIndexBits = 27;  // leaves 5 of the 32 that Draws has for the level

}  // namespace

PuzzleSide puzzle_side(std::string_view subject) {
  constexpr int kHexadecimal = 16;
  constexpr double kTestShare = 0.1;
  // A fingerprint of the fingerprint: one pass alone maps short texts that differ in a character
  // to evenly spaced numbers.
  const std::string digits = fingerprint(fingerprint(subject));
  const auto number = std::strtoull(digits.c_str(), nullptr, kHexadecimal);
  return static_cast<double>(number) * 0x1p-64 < kTestShare ? PuzzleSide::kTest
                                                            : PuzzleSide::kTraining;
}

PuzzleExample Puzzle::example(int64_t level, PuzzleSide side, uint64_t seed, int64_t index) const {
  constexpr int kAttempts = 10'000;
  EBT_CHECK(level >= 0 && level < static_cast<int64_t>(levels_.size()),
            "puzzle '{}': level {} is not one of its {}", name_, level, levels_.size());
  EBT_CHECK(index >= 0 && index < int64_t{1} << kIndexBits,
            "puzzle '{}': example {} is not between 0 and 2^{}", name_, index, kIndexBits);
  const PuzzleLevel& wanted = levels_[static_cast<size_t>(level)];
  Draws draws(seed, LabPart::kPuzzles, static_cast<uint64_t>(level << kIndexBits | index));
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const int64_t size = draws.between(wanted.least, wanted.most);
    const std::string subject = draw_subject(size, draws);
    if (puzzle_side(subject) == side) {
      return ask(size, subject, draws);
    }
  }
  fail("puzzle '{}': there is no example for {} of {}: there are too few different ones", name_,
       side == PuzzleSide::kTest ? "tests" : "training", wanted.name);
}

std::unique_ptr<Puzzle> make_puzzle(const PuzzleConfig& config) {
  using Maker = std::unique_ptr<Puzzle> (*)(const PuzzleConfig&);
  static const std::vector<std::pair<std::string, Maker>> makers = {{"sudoku", make_sudoku},
                                                                    {"sorting", make_sorting},
                                                                    {"addition", make_addition},
                                                                    {"brackets", make_brackets},
                                                                    {"maze", make_maze}};
  std::vector<std::string> known;
  for (const auto& [name, maker] : makers) {
    if (name == config.puzzle) {
      return maker(config);
    }
    known.push_back(name);
  }
  fail("--puzzle: \"{}\" is not one of {}", config.puzzle, fmt::join(known, ", "));
}

PuzzleLevel puzzle_level(const std::string& units, int64_t least, int64_t most, bool trained) {
  const std::string name = most == 1       ? "1 " + units.substr(0, units.size() - 1)
                           : least == most ? fmt::format("{} {}", least, units)
                                           : fmt::format("{} to {} {}", least, most, units);
  return {name, trained, least, most};
}

std::vector<PuzzleLevel> puzzle_levels(const std::string& units, int64_t least, int64_t most,
                                       int64_t limit) {
  constexpr int64_t kTrained = 3;
  constexpr int64_t kHarder = 2;
  EBT_CHECK(most >= least + kTrained - 1 && most <= limit,
            "--trained-size: {} {} are not between {} and {}", most, units, least + kTrained - 1,
            limit);
  std::vector<PuzzleLevel> levels;
  const auto add = [&](int64_t first, int64_t last, bool trained) {
    levels.push_back(puzzle_level(units, first, last, trained));
  };
  const int64_t count = most - least + 1;
  for (int64_t i = 0; i < kTrained; ++i) {
    add(least + count * i / kTrained, least + count * (i + 1) / kTrained - 1, true);
  }
  const int64_t width = levels.back().most - levels.back().least + 1;
  for (int64_t i = 0; i < kHarder; ++i) {
    add(most + i * width + 1, most + (i + 1) * width, false);
  }
  return levels;
}

}  // namespace ebt
