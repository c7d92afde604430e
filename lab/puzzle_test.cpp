#include "lab/puzzle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "ebt/core/config_fields.h"
#include "tests/support/error_text.h"

namespace ebt {
namespace {

using testing::error_text;

PuzzleConfig config_of(const std::string& name, int64_t board = 6) {
  PuzzleConfig config;
  config.puzzle = name;
  config.board = board;
  return config;
}

std::vector<std::unique_ptr<Puzzle>> all_puzzles() {
  std::vector<std::unique_ptr<Puzzle>> puzzles;
  for (const char* name : {"sorting", "addition", "brackets", "maze"}) {
    puzzles.push_back(make_puzzle(config_of(name)));
  }
  for (const int64_t board : {4, 6, 9}) {
    puzzles.push_back(make_puzzle(config_of("sudoku", board)));
  }
  return puzzles;
}

// Calls visit(puzzle, example) for some examples of every level of every puzzle.
template <class Visit>
void for_examples(PuzzleSide side, int64_t count, Visit&& visit) {
  for (const auto& puzzle : all_puzzles()) {
    for (size_t level = 0; level < puzzle->levels().size(); ++level) {
      for (int64_t i = 0; i < count; ++i) {
        visit(*puzzle, puzzle->example(static_cast<int64_t>(level), side, 7, i));
      }
    }
  }
}

std::string text_of(const PuzzleExample& example) { return example.prompt + example.answer; }

TEST(Puzzle, AnswersItsOwnExamplesRightAndNothingElseDoes) {
  for_examples(PuzzleSide::kTraining, 40, [](const Puzzle& puzzle, const PuzzleExample& example) {
    const auto& [prompt, answer] = example;
    EXPECT_TRUE(puzzle.is_right(prompt, answer)) << prompt;
    EXPECT_FALSE(puzzle.is_right(prompt, "")) << prompt;
    EXPECT_FALSE(puzzle.is_right(prompt, answer + answer.back())) << prompt;
    EXPECT_FALSE(puzzle.is_right(prompt, answer.substr(1))) << prompt;
    EXPECT_FALSE(puzzle.is_right(prompt, answer + '\n')) << prompt;
    for (size_t i = 0; i < answer.size(); ++i) {
      std::string changed = answer;
      changed[i] = answer[i] == '1' ? '2' : '1';
      EXPECT_FALSE(puzzle.is_right(prompt, changed)) << prompt << changed;
    }
  });
}

TEST(Puzzle, WritesPrintableLinesWithOneEqualsSignAtTheEndOfThePrompt) {
  for_examples(PuzzleSide::kTraining, 40, [](const Puzzle& puzzle, const PuzzleExample& example) {
    const std::string text = text_of(example);
    EXPECT_TRUE(std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 127; }))
        << text;
    EXPECT_EQ(std::count(text.begin(), text.end(), '='), 1) << text;
    EXPECT_EQ(example.prompt.back(), '=') << text;
    EXPECT_FALSE(example.answer.empty()) << text;
    EXPECT_LE(static_cast<int64_t>(text.size()), puzzle.longest()) << text;
  });
}

TEST(Puzzle, RefusesPromptsThatAreNotItsOwn) {
  for (const auto& puzzle : all_puzzles()) {
    for (const char* prompt :
         {"",          "=",     "1",      "+=",     "1+=",   "+1=",
          "((]=",      ")=",    "(",      "?=",     "/=",    "S/=",
          "SE/..",     "S./.E", "S./..=", "SE/SE=", "....=", "11..............=",
          "\xff\xff=", "a+b=",  "1+2+3="}) {
      for (const char* answer : {"", "1", "1234", "R", "\xff", "1234341221434321"}) {
        // Nothing to sort is in order, and nothing is left to close.
        if (std::string(prompt) == "=" && std::string(answer).empty()) {
          continue;
        }
        EXPECT_FALSE(puzzle->is_right(prompt, answer)) << puzzle->name() << prompt << answer;
      }
    }
  }
}

TEST(Puzzle, NamesAnExampleByLevelSideSeedAndIndexAlone) {
  for (const auto& puzzle : all_puzzles()) {
    const std::string third = text_of(puzzle->example(2, PuzzleSide::kTraining, 5, 3));
    EXPECT_EQ(text_of(puzzle->example(2, PuzzleSide::kTraining, 5, 3)), third);
    EXPECT_NE(text_of(puzzle->example(3, PuzzleSide::kTraining, 5, 3)), third);
    EXPECT_NE(text_of(puzzle->example(2, PuzzleSide::kTest, 5, 3)), third);
    EXPECT_NE(text_of(puzzle->example(2, PuzzleSide::kTraining, 6, 3)), third);
    EXPECT_NE(text_of(puzzle->example(2, PuzzleSide::kTraining, 5, 4)), third);
  }
}

TEST(Puzzle, NeverShowsATestPromptInTraining) {
  std::set<std::string> trained;
  std::set<std::string> tested;
  for_examples(PuzzleSide::kTraining, 500, [&](const Puzzle&, const PuzzleExample& example) {
    trained.insert(example.prompt);
  });
  for_examples(PuzzleSide::kTest, 200, [&](const Puzzle&, const PuzzleExample& example) {
    tested.insert(example.prompt);
    EXPECT_EQ(trained.count(example.prompt), 0U) << example.prompt;
  });
  // Without sides, many of the easiest would be shared.
  EXPECT_GT(tested.size(), 3000U);
}

TEST(Puzzle, KeepsATenthOfSubjectsForTests) {
  int64_t tests = 0;
  int64_t of_tens[10] = {};
  constexpr int64_t kSubjects = 10'000;
  for (int64_t i = 0; i < kSubjects; ++i) {
    if (puzzle_side(std::to_string(i)) == PuzzleSide::kTest) {
      ++tests;
      ++of_tens[i % 10];
    }
  }
  // Deviations of a binomial: 30 and 9.5.
  EXPECT_NEAR(static_cast<double>(tests), 1000, 120);
  for (const int64_t count : of_tens) {
    EXPECT_NEAR(static_cast<double>(count), 100, 40);
  }
}

TEST(Puzzle, GetsHarderFromLevelToLevelAndLastlyBeyondTraining) {
  for (const auto& puzzle : all_puzzles()) {
    ASSERT_EQ(puzzle->levels().size(), 5U);
    for (size_t i = 0; i < 5; ++i) {
      const PuzzleLevel& level = puzzle->levels()[i];
      EXPECT_EQ(level.trained, i < 3);
      EXPECT_LE(level.least, level.most);
      if (i > 0) {
        EXPECT_EQ(level.least, puzzle->levels()[i - 1].most + 1);
      }
    }
  }
}

TEST(PuzzleLevels, ShareTheTrainedSizesAndGoOn) {
  std::string names;
  for (const PuzzleLevel& level : puzzle_levels("digits", 1, 5, 9)) {
    names += level.name + (level.trained ? ", " : "! ");
  }
  EXPECT_EQ(names, "1 digit, 2 to 3 digits, 4 to 5 digits, 6 to 7 digits! 8 to 9 digits! ");
}

TEST(Puzzle, SaysWhatIsWrongWithAConfig) {
  const auto error_of = [](auto change, const char* name) {
    PuzzleConfig config = config_of(name);
    change(config);
    return error_text([&] { make_puzzle(config); });
  };
  EXPECT_EQ(error_of([](PuzzleConfig&) {}, "chess"),
            "--puzzle: \"chess\" is not one of sudoku, sorting, addition, brackets, maze");
  EXPECT_EQ(error_of([](PuzzleConfig& c) { c.board = 5; }, "sudoku"),
            "--board: 5 is not 4, 6 or 9");
  EXPECT_EQ(error_of([](PuzzleConfig& c) { c.trained_size = 5; }, "sudoku"),
            "--trained-size: the holes of a sudoku follow from its board");
  EXPECT_EQ(error_of([](PuzzleConfig& c) { c.symbols = 37; }, "sorting"),
            "--symbols: 37 is not between 2 and 36");
  EXPECT_EQ(error_of([](PuzzleConfig& c) { c.kinds = 0; }, "brackets"),
            "--kinds: 0 is not between 1 and 4");
  EXPECT_EQ(error_of([](PuzzleConfig& c) { c.trained_size = 3; }, "sorting"),
            "--trained-size: 3 symbols are not between 4 and 200");
  EXPECT_EQ(error_of([](PuzzleConfig& c) { c.trained_size = -1; }, "addition"),
            "--trained-size: -1 digits are not between 3 and 200");
  EXPECT_EQ(error_of([](PuzzleConfig& c) { c.trained_size = 201; }, "brackets"),
            "--trained-size: 201 brackets are not between 3 and 200");
  EXPECT_EQ(error_of([](PuzzleConfig& c) { c.trained_size = 51; }, "maze"),
            "--trained-size: 51 cells a side are not between 6 and 50");
}

TEST(Puzzle, SaysWhichExampleThereIsNot) {
  const auto puzzle = make_puzzle(config_of("sorting"));
  EXPECT_EQ(error_text([&] { puzzle->example(5, PuzzleSide::kTest, 0, 0); }),
            "puzzle 'sorting': level 5 is not one of its 5");
  EXPECT_EQ(error_text([&] { puzzle->example(0, PuzzleSide::kTest, 0, int64_t{1} << 27); }),
            "puzzle 'sorting': example 134217728 is not between 0 and 2^27");
}

TEST(Puzzle, SaysThatALevelHasTooFewExamplesForTests) {
  PuzzleConfig config = config_of("brackets");
  config.kinds = 1;
  config.trained_size = 3;
  // "(", "()(" and "(()".
  EXPECT_EQ(error_text([&] { make_puzzle(config)->example(0, PuzzleSide::kTest, 0, 0); }),
            "puzzle 'brackets': there is no example for tests of 1 bracket: there are too few "
            "different ones");
}

TEST(PuzzleConfig, IsWrittenAndRead) {
  PuzzleConfig config = config_of("maze");
  config.trained_size = 20;
  PuzzleConfig read;
  fields_from_json(nlohmann::json::parse(fields_to_json(config).dump()), "config", read);
  EXPECT_EQ(read.puzzle, "maze");
  EXPECT_EQ(read.trained_size, 20);
}

}  // namespace
}  // namespace ebt
