#include "lab/sudoku_solver.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/support/error_text.h"

namespace ebt {
namespace {

TEST(SudokuSolver, KnowsABoardThatIsSolved) {
  const SudokuSolver solver(4);
  EXPECT_TRUE(solver.is_solved("1234341221434321"));
  EXPECT_FALSE(solver.is_solved("123434122143432."));  // a hole
  EXPECT_FALSE(solver.is_solved("1234341221434322"));  // twice in a row
  EXPECT_FALSE(solver.is_solved("1234123434124321"));  // twice in columns
  EXPECT_FALSE(solver.is_solved("1234234134124123"));  // twice in boxes alone
  EXPECT_FALSE(solver.is_solved("1234341221434325"));
  EXPECT_FALSE(solver.is_solved("123434122143432"));
}

TEST(SudokuSolver, KnowsBoxesOfTwoByThree) {
  const SudokuSolver solver(6);
  EXPECT_TRUE(solver.is_solved("123456456123231564564231312645645312"));
  // Rows and columns that hold, boxes of three rows by two columns that would not.
  EXPECT_FALSE(solver.is_solved("123456231564312645456123564231645312"));
}

TEST(SudokuSolver, FindsEveryBoardOfFourByFour) {
  const SudokuSolver solver(4);
  std::map<std::string, int64_t> boards;
  constexpr int64_t kDraws = 5760;
  for (uint64_t i = 0; i < kDraws; ++i) {
    Draws draws(1, LabPart::kPuzzles, i);
    ++boards[solver.draw_board(draws)];
  }
  EXPECT_EQ(boards.size(), 288U);
  for (const auto& [board, count] : boards) {
    EXPECT_TRUE(solver.is_solved(board)) << board;
    EXPECT_GT(count, 4) << board;  // 20 are expected
  }
}

TEST(SudokuSolver, CountsSolutions) {
  const SudokuSolver solver(4);
  EXPECT_TRUE(solver.has_one_solution("1234341221434321"));
  EXPECT_TRUE(solver.has_one_solution(".234341221434321"));
  EXPECT_FALSE(solver.has_one_solution("................"));
  EXPECT_FALSE(solver.has_one_solution(".2.4.4.221434321"));  // 1 and 3 can change places
  EXPECT_FALSE(solver.has_one_solution("11.............."));  // none
  EXPECT_FALSE(solver.has_one_solution("123.4..........."));  // none, but no digit twice
}

TEST(SudokuSolver, SolvesWellKnownBoardsOfNineByNine) {
  const SudokuSolver solver(9);
  // 17 digits, the fewest that can do (Royle's list), and the same with one less.
  const std::string royle =
      "000000010400000000020000000000050407008000300001090000300400200050100000000806000";
  std::string board;
  for (const char digit : royle) {
    board += digit == '0' ? '.' : digit;
  }
  EXPECT_TRUE(solver.has_one_solution(board));
  board[7] = '.';
  EXPECT_FALSE(solver.has_one_solution(board));
}

TEST(SudokuSolver, GivesUpWhereTheSearchIsTooLarge) {
  const SudokuSolver solver(4);
  const std::string board = "....34122143432.";  // five holes
  EXPECT_TRUE(solver.has_one_solution(board, 5));
  EXPECT_FALSE(solver.has_one_solution(board, 4));
}

TEST(SudokuSolver, RefusesOtherSizes) {
  EXPECT_EQ(testing::error_text([] { SudokuSolver(5); }), "--board: 5 is not 4, 6 or 9");
}

}  // namespace
}  // namespace ebt
