#include "lab/sudoku.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "ebt/data/puzzle/sudoku_solver.h"
#include "tests/support/error_text.h"

namespace ebt {
namespace {

std::unique_ptr<Puzzle> sudoku(int64_t board) {
  PuzzleConfig config;
  config.board = board;
  return make_sudoku(config);
}

TEST(Sudoku, HasOneSolutionAndTheHolesOfItsLevel) {
  for (const int64_t size : {4, 6, 9}) {
    const auto puzzle = sudoku(size);
    const SudokuSolver solver(sudoku_boxes(size));
    for (size_t level = 0; level < puzzle->levels().size(); ++level) {
      std::set<int64_t> numbers;
      for (int64_t i = 0; i < 100; ++i) {
        std::string board =
            puzzle->example(static_cast<int64_t>(level), PuzzleSide::kTraining, 1, i).prompt;
        board.pop_back();
        EXPECT_TRUE(solver.has_one_solution(board)) << board;
        numbers.insert(std::count(board.begin(), board.end(), '.'));
      }
      EXPECT_EQ(*numbers.begin(), puzzle->levels()[level].least);
      EXPECT_EQ(*numbers.rbegin(), puzzle->levels()[level].most);
    }
  }
}

TEST(Sudoku, FindsPuzzlesWithTheMostHolesOnManyBoards) {
  for (const int64_t size : {4, 6, 9}) {
    const auto puzzle = sudoku(size);
    for (int64_t i = 0; i < 400; ++i) {
      EXPECT_NO_THROW(puzzle->example(4, PuzzleSide::kTraining, 2, i));
    }
  }
}

TEST(Sudoku, AcceptsEverySolutionThatKeepsTheGivenDigits) {
  const auto puzzle = sudoku(4);
  const std::string prompt = ".2.4.4.221434321=";
  EXPECT_TRUE(puzzle->is_right(prompt, "1234341221434321"));
  EXPECT_TRUE(puzzle->is_right(prompt, "3214143221434321"));
  EXPECT_FALSE(puzzle->is_right(prompt, "1234143221434321"));  // 1 twice in a column
  EXPECT_FALSE(puzzle->is_right(prompt, "1243342121344312"));  // another board
}

TEST(Sudoku, NeverAsksInATestForABoardOfTraining) {
  const auto puzzle = sudoku(4);
  std::set<std::string> trained;
  std::set<std::string> tested;
  for (int64_t i = 0; i < 4000; ++i) {
    trained.insert(puzzle->example(i % 5, PuzzleSide::kTraining, 1, i).answer);
    tested.insert(puzzle->example(i % 5, PuzzleSide::kTest, 2, i).answer);
  }
  EXPECT_EQ(tested.size(), 24U);
  EXPECT_EQ(trained.size(), 264U);
  for (const std::string& board : tested) {
    EXPECT_EQ(trained.count(board), 0U) << board;
  }
}

TEST(Sudoku, RefusesOtherBoards) {
  EXPECT_EQ(testing::error_text([] { sudoku(5); }), "--board: 5 is not 4, 6 or 9");
}

}  // namespace
}  // namespace ebt
