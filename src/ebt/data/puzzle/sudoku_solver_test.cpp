#include "ebt/data/puzzle/sudoku_solver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tests/support/error_text.h"

namespace ebt {
namespace {

TEST(SudokuSolver, KnowsABoardThatIsSolved) {
  const SudokuSolver solver({2, 2});
  EXPECT_EQ(solver.fault("1234341221434321"), "");
  EXPECT_EQ(solver.fault("123434122143432."),
            "row 4, column 4 holds '.', which is no digit of 1 to 4");
  EXPECT_EQ(solver.fault("1234341221434322"), "row 4 holds 2 twice");
  EXPECT_EQ(solver.fault("1234123434124321"), "column 1 holds 1 twice");
  EXPECT_EQ(solver.fault("1234234134124123"), "box 1 holds 2 twice");
  EXPECT_EQ(solver.fault("1234341221434325"),
            "row 4, column 4 holds '5', which is no digit of 1 to 4");
  EXPECT_EQ(solver.fault("123434122143432"), "it has 15 cells, and the board 16");
}

TEST(SudokuSolver, KnowsBoxesOfTwoByThree) {
  const SudokuSolver solver({2, 3});
  EXPECT_EQ(solver.fault("123456456123231564564231312645645312"), "");
  // Rows and columns that hold, boxes of three rows by two columns that would not.
  EXPECT_EQ(solver.fault("123456231564312645456123564231645312"), "box 1 holds 2 twice");
}

TEST(SudokuSolver, FindsEveryBoardOfFourByFour) {
  const SudokuSolver solver({2, 2});
  std::map<std::string, int64_t> boards;
  constexpr int64_t kDraws = 28'800;
  for (uint64_t i = 0; i < kDraws; ++i) {
    RandomDraws draws({1, RandomPurpose::kPuzzles, i});
    ++boards[solver.draw_board(draws)];
  }
  EXPECT_EQ(boards.size(), 288U);
  for (const auto& [board, count] : boards) {
    EXPECT_EQ(solver.fault(board), "") << board;
    EXPECT_GT(count, 15) << board;  // of 100 if all were equally likely
  }
}

TEST(SudokuSolver, CountsSolutions) {
  const SudokuSolver solver({2, 2});
  EXPECT_TRUE(solver.has_one_solution("1234341221434321"));
  EXPECT_TRUE(solver.has_one_solution(".234341221434321"));
  EXPECT_FALSE(solver.has_one_solution("................"));
  EXPECT_FALSE(solver.has_one_solution(".2.4.4.221434321"));  // 1 and 3 can change places
  EXPECT_FALSE(solver.has_one_solution("11.............."));  // none
  EXPECT_FALSE(solver.has_one_solution("123.4..........."));  // none, but no digit twice
}

TEST(SudokuSolver, SolvesWellKnownBoardsOfNineByNine) {
  const SudokuSolver solver({3, 3});
  // 17 digits, the fewest that can do (Royle's list), and the same with one less.
  const std::string royle =
      "000000010400000000020000000000050407008000300001090000300400200050100000000806000";
  std::string board = royle;
  EXPECT_TRUE(solver.has_one_solution(board));
  board[7] = '.';
  EXPECT_FALSE(solver.has_one_solution(board));
}

TEST(SudokuSolver, SolvesBoardsOfSixteenBySixteen) {
  const SudokuSolver solver({4, 4});
  RandomDraws draws({1, RandomPurpose::kPuzzles, 0});
  const std::string solved = solver.draw_board(draws);
  EXPECT_EQ(solver.fault(solved), "");
  EXPECT_NE(solved.find('G'), std::string::npos);
  EXPECT_TRUE(solver.has_one_solution(solved));
  std::string board = solved;
  for (const char digit : {'1', 'G'}) {  // which can change places once both are gone
    std::replace(board.begin(), board.end(), digit, '0');
  }
  EXPECT_FALSE(solver.has_one_solution(board));
}

TEST(SudokuSolver, KnowsWhatTheOtherDigitsImply) {
  const SudokuSolver solver({3, 3});
  const std::string royle =
      "000000010400000000020000000000050407008000300001090000300400200050100000000806000";
  for (int64_t cell = 0; cell < 81; ++cell) {
    if (royle[static_cast<size_t>(cell)] != '0') {
      EXPECT_FALSE(solver.is_implied(royle, cell)) << "no digit of 17 can be spared";
    }
  }
  const std::string solved = "123456456123231564564231312645645312";
  const SudokuSolver small({2, 3});
  for (int64_t cell = 0; cell < 36; ++cell) {
    EXPECT_TRUE(small.is_implied(solved, cell));
  }
}

TEST(SudokuSolver, GivesUpWhereTheSearchIsTooLarge) {
  const SudokuSolver solver({2, 2});
  const std::string board = ".2.4.4.221434321";  // two solutions, a guess each
  EXPECT_FALSE(solver.has_one_solution(board, 2));
  EXPECT_FALSE(solver.has_one_solution(board, 1)) << "the second may be there";
  EXPECT_TRUE(solver.has_one_solution("....34122143432.", 0)) << "needs no guess";
}

TEST(SudokuSolver, RefusesOtherBoxes) {
  for (const Extents boxes :
       {Extents{1, 4}, Extents{4, 1}, Extents{3, 6}, Extents{1000000, 1000000}}) {
    EXPECT_EQ(
        testing::error_text([&] { SudokuSolver{boxes}; }),
        fmt::format("--boxes: boxes have at least 2 rows and 2 columns, and at most 16 cells; "
                    "{}x{} do not",
                    boxes.rows, boxes.columns));
  }
}

}  // namespace
}  // namespace ebt
