// What holds for generators of every kind, and what is particular to mazes, queens, colourings and
// additions.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "ebt/data/puzzle/addition_generator.h"
#include "ebt/data/puzzle/colouring_generator.h"
#include "ebt/data/puzzle/maze_generator.h"
#include "ebt/data/puzzle/queens_generator.h"
#include "ebt/data/puzzle/sudoku_generator.h"
#include "tests/support/error_text.h"

namespace ebt {
namespace {

using testing::error_text;
using Generator = std::unique_ptr<PuzzleGenerator>;

PuzzleRow draw(const PuzzleGenerator& generator, uint64_t number) {
  RandomDraws draws({5, RandomPurpose::kPuzzles, number});
  return generator.draw(draws);
}

int64_t count(const std::string& text, char c) { return std::count(text.begin(), text.end(), c); }

std::vector<Generator> all_kinds() {
  std::vector<Generator> kinds;
  kinds.push_back(make_sudoku_generator({"2x3", ""}));
  kinds.push_back(make_maze_generator({"2-6", 8, 0}));
  kinds.push_back(make_maze_generator({"5", 0, 0.3}));
  kinds.push_back(make_queens_generator({"4-8", 10, "", false}));
  kinds.push_back(make_queens_generator({"8", 0, "2-5", true}));
  kinds.push_back(make_colouring_generator({"4-9", 12, 3, 4, "", false}));
  kinds.push_back(make_colouring_generator({"9", 0, 4, 5, "2-4", true}));
  kinds.push_back(make_addition_generator({"1-5", 7, false}));
  kinds.push_back(make_addition_generator({"6", 0, true}));
  return kinds;
}

TEST(PuzzleKinds, DrawRowsOfTheirGridWithAnAnswerThatTheirCheckAccepts) {
  for (const Generator& generator : all_kinds()) {
    for (uint64_t i = 0; i < 60; ++i) {
      const PuzzleRow row = draw(*generator, i);
      const auto cells = static_cast<size_t>(generator->grid_rows() * generator->grid_columns());
      ASSERT_EQ(row.puzzle.size(), cells);
      ASSERT_EQ(row.solution.size(), cells);
      EXPECT_EQ(generator->fault(row.puzzle, row.solution), "") << row.puzzle << row.solution;
      int64_t asked = 0;
      for (size_t cell = 0; cell < cells; ++cell) {
        const bool is_asked = row.puzzle[cell] != row.solution[cell];
        asked += is_asked ? 1 : 0;
        EXPECT_TRUE(!is_asked || row.puzzle[cell] == '0' || row.puzzle[cell] == '?');
      }
      EXPECT_GT(asked, 0);
    }
  }
}

TEST(PuzzleKinds, RefuseAnAnswerInWhichACellIsWrong) {
  for (const Generator& generator : all_kinds()) {
    for (uint64_t i = 0; i < 20; ++i) {
      const PuzzleRow row = draw(*generator, i);
      const std::set<char> characters(row.solution.begin(), row.solution.end());
      for (size_t cell = 0; cell < row.solution.size(); cell += 1 + i % 3) {
        if (row.puzzle[cell] == row.solution[cell]) {
          std::string answer = row.solution;
          answer[cell] =
              *characters.begin() == answer[cell] ? *characters.rbegin() : *characters.begin();
          EXPECT_NE(generator->fault(row.puzzle, answer), "") << "a given cell was changed";
        }
      }
      EXPECT_NE(generator->fault(row.puzzle, row.puzzle), "");
      EXPECT_NE(generator->fault(row.puzzle, ""), "");
      EXPECT_NE(generator->fault("", row.solution), "");
      EXPECT_NE(generator->fault(row.puzzle, row.solution + "1"), "");
    }
  }
}

TEST(Mazes, ArePerfectUnlessLoopsAreAskedFor) {
  const Generator perfect = make_maze_generator({"6", 0, 0});
  const Generator loops = make_maze_generator({"6", 0, 1});
  for (uint64_t i = 0; i < 20; ++i) {
    // A tree: 36 rooms and 35 passages.
    EXPECT_EQ(121 - count(draw(*perfect, i).puzzle, '#'), 36 + 35);
    EXPECT_EQ(121 - count(draw(*loops, i).puzzle, '#'), 36 + 60)
        << "every wall between rooms is open";
  }
}

TEST(Mazes, OfSeveralSizesLieAnywhereInTheirFrame) {
  const Generator generator = make_maze_generator({"3-5", 8, 0});
  std::set<int64_t> walls;
  std::set<size_t> first_open;
  for (uint64_t i = 0; i < 100; ++i) {
    const std::string puzzle = draw(*generator, i).puzzle;
    walls.insert(count(puzzle, '#'));
    first_open.insert(puzzle.find_first_not_of('#') / 15);
  }
  EXPECT_EQ(walls, (std::set<int64_t>{225 - 49, 225 - 31, 225 - 17}));
  EXPECT_EQ(first_open, (std::set<size_t>{0, 2, 4, 6, 8, 10}));
}

TEST(Mazes, AcceptAnyShortestWay) {
  const Generator generator = make_maze_generator({"2", 0, 0});
  const std::string puzzle = "S000#000E";  // two ways around the middle
  EXPECT_EQ(generator->fault(puzzle, "S++.#+..E"), "");
  EXPECT_EQ(generator->fault(puzzle, "S..+#.++E"), "");
  EXPECT_EQ(generator->fault(puzzle, "S++.#...E"), "the marked cells do not lead from S to E");
  EXPECT_EQ(generator->fault(puzzle, "S+++#+..E"),
            "4 cells are marked, and the shortest way has 3");
  EXPECT_EQ(generator->fault(puzzle, "S++.+...E"), "row 2, column 2 holds '+' where '#' is given");
  EXPECT_EQ(generator->fault(puzzle, "S0+.#+..E"),
            "row 1, column 2 holds '0' where '+' or '.' is asked for");
  EXPECT_EQ(generator->fault("S#000#00E", "S#..+#+.E"), "the marked cells do not lead from S to E");
  EXPECT_EQ(generator->fault("S0##", "S.##"), "the puzzle is no square with one S and one E");
  const std::string around = "S000E0#0#0000000000000000";  // 5 x 5, straight on or round about
  EXPECT_EQ(generator->fault(around, "S...E+#.#++++++.........."),
            "the marked way takes 8 steps, and the shortest 4");
  EXPECT_EQ(generator->fault(around, "S+++E.#.#................"), "");
}

TEST(Queens, AcceptAnyPlacementAndNameThoseThatAttack) {
  const Generator generator = make_queens_generator({"4", 0, "", false});
  const std::string none = "0000000000000000";
  EXPECT_EQ(generator->fault(none, ".Q.....QQ.....Q."), "");
  EXPECT_EQ(generator->fault(none, "..Q.Q......Q.Q.."), "");
  EXPECT_EQ(generator->fault(none, ".Q......Q.....Q."), "it has 3 queens on 16 squares");
  EXPECT_EQ(generator->fault(none, ".Q....Q.Q......Q"),
            "the queens at row 1, column 2 and row 2, column 3 attack each other");
  EXPECT_EQ(generator->fault("0Q00000000000000", "..Q.Q......Q.Q.."),
            "row 1, column 2 holds '.' where 'Q' is given");
}

TEST(Queens, HaveOneSolutionWhereThatIsAskedFor) {
  const Generator generator = make_queens_generator({"4", 0, "1-4", true});
  for (uint64_t i = 0; i < 50; ++i) {
    // Both boards of four queens differ in every row: one given queen decides.
    EXPECT_GE(count(draw(*generator, i).puzzle, 'Q'), 1);
  }
  EXPECT_EQ(error_text([] {
              draw(*make_queens_generator({"8", 0, "8", true}), 0);
            }),
            "--unique: no board with one solution was found in 1000: ask for fewer --holes");
}

TEST(Colourings, AcceptAnyColouringAndNameAnEdgeThatIsNone) {
  const Generator generator = make_colouring_generator({"3", 0, 3, 2, "", false});
  const std::string path = "0x-x0x-x0";
  EXPECT_EQ(generator->fault(path, "1x-x2x-x1"), "");
  EXPECT_EQ(generator->fault(path, "3x-x2x-x1"), "");
  EXPECT_EQ(generator->fault(path, "1x-x1x-x2"),
            "nodes 1 and 2 are joined, and both have colour 1");
  EXPECT_EQ(generator->fault(path, "1x-x4x-x2"),
            "row 2, column 2 holds '4' where a colour of 1 to 3 is asked for");
  EXPECT_EQ(generator->fault(path, "1--x2x-x1"), "row 1, column 2 holds '-' where 'x' is given");
  EXPECT_EQ(generator->fault("1x-x0x-x0", "2x-x1x-x3"),
            "row 1, column 1 holds '2' where '1' is given");
}

TEST(Colourings, HaveAboutTheEdgesThatAreAskedForAndOneSolutionWhereThatIs) {
  const Generator generator = make_colouring_generator({"30", 0, 3, 4, "10", false});
  int64_t edges = 0;
  for (uint64_t i = 0; i < 50; ++i) {
    edges += count(draw(*generator, i).puzzle, 'x') / 2;
  }
  EXPECT_NEAR(static_cast<double>(edges) / 50, 60, 3);
  const Generator unique = make_colouring_generator({"8", 0, 2, 5, "1-8", true});
  for (uint64_t i = 0; i < 50; ++i) {
    const std::string puzzle = draw(*unique, i).puzzle;
    EXPECT_LT(count(puzzle, '0'), 8) << "colours can be exchanged: " << puzzle;
  }
}

TEST(Additions, AskForTheSumAndTheCarries) {
  const Generator generator = make_addition_generator({"3", 0, true});
  const std::string puzzle = "c????.0758+0367=????";
  EXPECT_EQ(generator->fault(puzzle, "c1110.0758+0367=1125"), "");
  EXPECT_EQ(generator->fault(puzzle, "c1110.0758+0367=1025"),
            "row 4, column 3 holds '0' where '1' is right");
  EXPECT_EQ(generator->fault(puzzle, "c1100.0758+0367=1125"),
            "row 1, column 4 holds '0' where '1' is right");
  EXPECT_EQ(generator->fault(".12+34=??", ".12+34=46"), "") << "without carries, in another frame";
  EXPECT_EQ(generator->fault("12+34=", "12+34=46").substr(0, 25), "the puzzle is no addition");
}

TEST(Additions, OfFewerDigitsBeginWithZeros) {
  const Generator generator = make_addition_generator({"2", 4, false});
  EXPECT_EQ(generator->grid_columns(), 6);
  for (uint64_t i = 0; i < 20; ++i) {
    const std::string puzzle = draw(*generator, i).puzzle;
    EXPECT_EQ(puzzle.substr(0, 4), ".000");
    EXPECT_NE(puzzle[4], '0');
    EXPECT_EQ(puzzle.substr(12), "=?????");
  }
}

TEST(PuzzleKinds, RefuseWhatCannotBe) {
  EXPECT_EQ(error_text([] {
              make_maze_generator({"1-3", 0, 0});
            }),
            "--rooms: 1 is not between 2 and 64");
  EXPECT_EQ(error_text([] {
              make_maze_generator({"3-5", 4, 0});
            }),
            "--frame: 4 is not between 5 and 64");
  EXPECT_EQ(error_text([] {
              make_maze_generator({"3", 0, 1.5});
            }),
            "--loops: 1.5 is not between 0 and 1");
  EXPECT_EQ(error_text([] {
              make_queens_generator({"3", 0, "", false});
            }),
            "--board: 3 is not between 4 and 32");
  EXPECT_EQ(error_text([] {
              make_queens_generator({"6-8", 0, "7-8", false});
            }),
            "--holes: a board of 6 has 1 to 6 queens to place, not 7");
  EXPECT_EQ(error_text([] {
              make_colouring_generator({"8", 0, 1, 4, "", false});
            }),
            "--colours: 1 is not between 2 and 9");
  EXPECT_EQ(error_text([] {
              make_colouring_generator({"8", 0, 3, -1, "", false});
            }),
            "--degree: -1 is not between 0 and 64");
  EXPECT_EQ(error_text([] {
              make_addition_generator({"0", 0, false});
            }),
            "--digits: 0 is not between 1 and 100");
}

}  // namespace
}  // namespace ebt
