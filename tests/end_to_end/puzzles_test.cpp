// `ebt data puzzle` and `ebt data check`, as scripts call them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "tests/end_to_end/program.h"

namespace ebt::testing {
namespace {

class Puzzles : public ::testing::Test {
 protected:
  std::string file(const std::string& name) const { return folder_.file(name); }
  nlohmann::json draw(const std::string& kind, Arguments more, const std::string& out) const {
    more.insert(more.begin(), {"data", "puzzle", kind});
    more.insert(more.end(), {"--out", file(out)});
    return run_ebt_json(more);
  }
  std::vector<std::string> rows_of(const std::string& name) const {
    std::istringstream text(read_file(file(name)));
    std::vector<std::string> rows;
    for (std::string line; std::getline(text, line);) {
      rows.push_back(line);
    }
    return rows;
  }

  TemporaryFolder folder_;
};

TEST_F(Puzzles, OfSudokuAreDrawnForTrainingAndApartFromItForATest) {
  const Outcome outcome = run_ebt({"data", "puzzle", "sudoku", "--boxes", "2x3", "--holes", "6-16",
                                   "--count", "2000", "--seed", "1", "--out", file("train.csv")});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("holds 2000 puzzles, no two alike, of 6 x 6 cells (--grid 6x6)"),
            std::string::npos);
  const std::vector<std::string> rows = rows_of("train.csv");
  ASSERT_EQ(rows.size(), 2001U);
  EXPECT_EQ(rows[0], "puzzle,solution");
  std::set<std::string> boards;
  for (size_t i = 1; i < rows.size(); ++i) {
    ASSERT_EQ(rows[i].size(), 73U);
    const auto holes = std::count(rows[i].begin(), rows[i].begin() + 36, '0');
    EXPECT_TRUE(holes >= 6 && holes <= 16) << rows[i];
    boards.insert(rows[i].substr(37));
  }
  const nlohmann::json test = draw("sudoku",
                                   {"--boxes", "2x3", "--holes", "20", "--count", "300", "--seed",
                                    "1", "--exclude", file("train.csv")},
                                   "test.csv");
  EXPECT_EQ(test["count"], 300);
  EXPECT_EQ(test["grid"], "6x6");
  for (const std::string& row : rows_of("test.csv")) {
    EXPECT_EQ(boards.count(row.substr(row.find(',') + 1)), 0U);
  }
}

TEST_F(Puzzles, OfEveryKindPassTheirOwnCheck) {
  const std::vector<std::pair<std::string, Arguments>> kinds = {
      {"sudoku", {"--boxes", "4x4", "--holes", "60-100"}},
      {"maze", {"--rooms", "3-5", "--frame", "6", "--loops", "0.1"}},
      {"queens", {"--board", "6-8", "--frame", "9"}},
      {"colouring", {"--nodes", "6-9", "--colours", "3"}},
      {"addition", {"--digits", "3-5", "--carries"}}};
  for (const auto& [kind, flags] : kinds) {
    Arguments more = flags;
    more.insert(more.end(), {"--count", "50", "--seed", "3"});
    EXPECT_EQ(draw(kind, more, kind + ".csv")["count"], 50);
    Arguments check = {"data", "check", kind, file(kind + ".csv")};
    if (kind == "sudoku") {
      check.insert(check.end(), {"--boxes", "4x4"});
    }
    const nlohmann::json checked = run_ebt_json(check);
    EXPECT_EQ(checked["right"], 50) << checked;
    EXPECT_EQ(checked["solved"], 1.0);
    EXPECT_TRUE(checked["faults"].empty());
  }
}

TEST_F(Puzzles, AreTheSameOnAnyNumberOfThreads) {
  for (const std::string threads : {"1", "3"}) {
    draw("maze", {"--rooms", "4-7", "--count", "200", "--seed", "5", "--threads", threads},
         threads + ".csv");
  }
  EXPECT_EQ(read_file(file("1.csv")), read_file(file("3.csv")));
}

TEST_F(Puzzles, HaveWrongAnswersNamed) {
  const std::string path = folder_.write(
      "answers.csv", "puzzle,guess\n0204040221434321,1234341221434321\n0204040221434321,12\n");
  const Outcome outcome =
      run_ebt({"data", "check", "sudoku", path, "--boxes", "2x2", "--answer-field", "guess"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "1 of 2 answers are right (50.0 %)\nline 3 of '" + path +
                             "': it has 2 cells, and the board 16\n");
}

TEST_F(Puzzles, LeaveAFileAloneWhereTheyCannotBeDrawn) {
  const std::string path = folder_.write("out.csv", "mine");
  const auto error_of = [&](Arguments more) {
    more.insert(more.begin(), {"data", "puzzle"});
    more.insert(more.end(), {"--out", path});
    const Outcome outcome = run_ebt(more);
    EXPECT_EQ(outcome.exit_code, 1);
    return outcome.err.substr(0, outcome.err.find('\n'));
  };
  EXPECT_EQ(error_of({"queens", "--board", "4", "--holes", "1", "--count", "9"}),
            "ebt: --count: 8 different puzzles were found, and 9 are wanted: ask for fewer, or for "
            "more kinds of them");
  EXPECT_EQ(error_of({"sudoku", "--boxes", "5x5"}),
            "ebt: --boxes: boxes have at least 2 rows and 2 columns, and at most 16 cells; 5x5 do "
            "not");
  EXPECT_EQ(error_of({"sudoku", "--exclude", path}),
            "ebt: --out: '" + path + "' is what --exclude reads: choose another name");
  EXPECT_EQ(read_file(path), "mine");
}

}  // namespace
}  // namespace ebt::testing
