#include "ebt/data/puzzle/sudoku_generator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/support/error_text.h"

namespace ebt {
namespace {

using testing::error_text;

RandomDraws draws_of(uint64_t number) { return RandomDraws({7, RandomPurpose::kPuzzles, number}); }

TEST(SudokuGenerator, DrawsPuzzlesOfOneSolutionForBoxesOfAnySize) {
  const std::pair<Extents, NumberRange> cases[] = {
      {{2, 2}, {3, 10}},   {{2, 3}, {6, 22}},   {{3, 2}, {6, 16}},  {{2, 4}, {20, 38}},
      {{3, 3}, {16, 54}},  {{2, 5}, {30, 60}},  {{3, 4}, {40, 80}}, {{2, 7}, {60, 100}},
      {{3, 5}, {60, 100}}, {{2, 8}, {60, 130}}, {{4, 4}, {60, 140}}};
  for (const auto& [boxes, holes] : cases) {
    const SudokuSolver solver(boxes);
    const auto generator = make_sudoku_generator({fmt::format("{}x{}", boxes.rows, boxes.columns),
                                                  fmt::format("{}-{}", holes.least, holes.most)});
    EXPECT_EQ(generator->grid_rows() * generator->grid_columns(), solver.cell_count());
    std::set<int64_t> numbers;
    for (uint64_t i = 0; i < 12; ++i) {
      RandomDraws draws = draws_of(i);
      const PuzzleRow row = generator->draw(draws);
      EXPECT_TRUE(solver.has_one_solution(row.puzzle)) << row.puzzle;
      EXPECT_EQ(generator->fault(row.puzzle, row.solution), "");
      numbers.insert(std::count(row.puzzle.begin(), row.puzzle.end(), '0'));
    }
    EXPECT_GE(*numbers.begin(), holes.least);
    EXPECT_LE(*numbers.rbegin(), holes.most);
    EXPECT_GT(numbers.size(), 3U) << "drawn for every puzzle";
  }
}

TEST(SudokuGenerator, FindsBoardsOfNineByNineWithFewGivenDigits) {
  const auto generator = make_sudoku_generator({"3x3", "59"});  // a random descent ends near 56
  const SudokuSolver solver({3, 3});
  RandomDraws draws = draws_of(0);
  const PuzzleRow row = generator->draw(draws);
  EXPECT_EQ(std::count(row.puzzle.begin(), row.puzzle.end(), '0'), 59);
  EXPECT_TRUE(solver.has_one_solution(row.puzzle));
}

TEST(SudokuGenerator, DrawsFromItsDrawsAlone) {
  const auto generator = make_sudoku_generator({"2x3", "6-16"});
  std::set<std::string> puzzles;
  for (uint64_t i = 0; i < 50; ++i) {
    RandomDraws a = draws_of(i);
    RandomDraws b = draws_of(i);
    const PuzzleRow row = generator->draw(a);
    EXPECT_EQ(row.puzzle, generator->draw(b).puzzle);
    puzzles.insert(row.puzzle);
  }
  EXPECT_EQ(puzzles.size(), 50U);
}

TEST(SudokuGenerator, AcceptsAnyAnswerThatKeepsWhatIsGivenAndSaysWhatIsWrongWithOthers) {
  const auto generator = make_sudoku_generator({"2x2", "4"});
  const std::string puzzle = "0204040221434321";
  EXPECT_EQ(generator->fault(puzzle, "1234341221434321"), "");
  EXPECT_EQ(generator->fault(puzzle, "3214143221434321"), "");
  EXPECT_EQ(generator->fault(puzzle, "1234143221434321"), "column 1 holds 1 twice");
  EXPECT_EQ(generator->fault(puzzle, "1243342121344312"),
            "row 1, column 4 holds 3 where 4 is given");
  EXPECT_EQ(generator->fault(puzzle, "123434122143432\n"),
            "row 4, column 4 holds '\\n', which is no digit of 1 to 4");
  EXPECT_EQ(generator->fault(puzzle, "123"), "it has 3 cells, and the board 16");
  EXPECT_EQ(generator->fault("02040402", "1234341221434321"),
            "the puzzle has 8 cells, and the board 16");
}

TEST(SudokuGenerator, RefusesHolesThatNoBoardHas) {
  EXPECT_EQ(error_text([] {
              make_sudoku_generator({"3x3", "60-65"});
            }),
            "--holes: 60-65 are not between 1 and 64, more than which leave no sudoku of boxes of "
            "3x3 with one solution");
  EXPECT_EQ(error_text([] {
              make_sudoku_generator({"2x3", "0"});
            }).substr(0, 24),
            "--holes: 0-0 are not bet");
  EXPECT_EQ(error_text([] {
              make_sudoku_generator({"2x", "4"});
            }),
            "--boxes: \"2x\" is not rows x columns, as 2x3");
}

}  // namespace
}  // namespace ebt
