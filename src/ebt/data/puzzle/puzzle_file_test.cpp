#include "ebt/data/puzzle/puzzle_file.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "ebt/core/threads.h"
#include "ebt/data/puzzle/queens_generator.h"
#include "ebt/data/puzzle/sudoku_generator.h"
#include "ebt/io/file.h"
#include "tests/support/error_text.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::error_text;

class PuzzleFile : public ::testing::Test {
 protected:
  std::string write(const PuzzleGenerator& generator, int64_t count, uint64_t seed,
                    const std::string& exclude = "") {
    PuzzleFileConfig config;
    config.count = count;
    config.seed = seed;
    config.exclude = exclude;
    config.out = folder_.file("out.csv");
    summary_ = write_puzzles(generator, config);
    return read_text_file(config.out, 1 << 24);
  }
  static std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
      lines.push_back(line);
    }
    return lines;
  }

  testing::TemporaryFolder folder_;
  PuzzleFileSummary summary_;
  const std::unique_ptr<PuzzleGenerator> small_ = make_sudoku_generator({"2x2", "4-8"});
};

TEST_F(PuzzleFile, IsATableOfPuzzlesNoTwoOfThemAlike) {
  const std::vector<std::string> lines = lines_of(write(*small_, 500, 1));
  ASSERT_EQ(lines.size(), 501U);
  EXPECT_EQ(lines[0], "puzzle,solution");
  const std::set<std::string> different(lines.begin(), lines.end());
  EXPECT_EQ(different.size(), 501U);
  for (size_t i = 1; i < lines.size(); ++i) {
    ASSERT_EQ(lines[i].size(), 33U);
    EXPECT_EQ(small_->fault(lines[i].substr(0, 16), lines[i].substr(17)), "");
  }
  EXPECT_EQ(summary_.count, 500);
}

TEST_F(PuzzleFile, IsTheSameForAnyNumberOfThreadsAndAnotherForAnotherSeed) {
  use_threads(1);
  const std::string one = write(*small_, 300, 1);
  use_threads(4);
  EXPECT_EQ(write(*small_, 300, 1), one);
  use_threads(0);
  EXPECT_NE(write(*small_, 300, 2), one);
}

TEST_F(PuzzleFile, BeginsAsALongerOneOfTheSameSeed) {
  const std::string longer = write(*small_, 400, 1);
  const std::string shorter = write(*small_, 100, 1);
  EXPECT_EQ(longer.substr(0, shorter.size()), shorter);
}

TEST_F(PuzzleFile, SharesNoBoardWithWhatItExcludes) {
  const std::string train = folder_.write("train.csv", write(*small_, 60, 1));
  std::set<std::string> boards;
  for (const std::string& line : lines_of(read_text_file(train, 1 << 20))) {
    boards.insert(line.substr(line.find(',') + 1));
  }
  for (const std::string& line : lines_of(write(*small_, 200, 2, train))) {
    EXPECT_EQ(boards.count(line.substr(line.find(',') + 1)), line == "puzzle,solution" ? 1U : 0U);
  }
  EXPECT_GT(summary_.rejected, 0);
}

TEST_F(PuzzleFile, MayExcludePuzzlesOfItsOwnSeed) {
  const auto easy = make_sudoku_generator({"2x3", "6"});
  const auto hard = make_sudoku_generator({"2x3", "20"});
  const std::string train = folder_.write("train.csv", write(*easy, 1500, 1));
  EXPECT_EQ(lines_of(write(*hard, 10, 1, train)).size(), 11U);
  EXPECT_GE(summary_.rejected, 1500) << "they begin with the same boards";
}

TEST_F(PuzzleFile, IsNotWrittenWhereThereAreNotSoManyPuzzles) {
  // Two boards of four queens, and four of each with one queen missing.
  const auto queens = make_queens_generator({"4", 0, "1", false});
  EXPECT_EQ(lines_of(write(*queens, 8, 1)).size(), 9U);
  std::filesystem::remove(folder_.file("out.csv"));
  EXPECT_EQ(error_text([&] { write(*queens, 9, 1); }),
            "--count: 8 different puzzles were found, and 9 are wanted: ask for fewer, or for more "
            "kinds of them");
  EXPECT_FALSE(std::filesystem::exists(folder_.file("out.csv")));
  EXPECT_FALSE(std::filesystem::exists(folder_.file("out.csv.tmp")));
}

TEST_F(PuzzleFile, HasItsAnswersChecked) {
  const std::string path =
      folder_.write("answers.jsonl", R"({"q": "0204040221434321", "a": "1234341221434321"})"
                                     "\n"
                                     R"({"q": "0204040221434321", "a": "3214143221434321"})"
                                     "\n"
                                     R"({"q": "0204040221434321", "a": "1234143221434321"})"
                                     "\n");
  const AnswerCheck check = check_answers(*small_, {path}, "q", "a");
  EXPECT_EQ(check.rows, 3);
  EXPECT_EQ(check.right, 2);
  EXPECT_EQ(check.faults,
            (std::vector<std::string>{"line 3 of '" + path + "': column 1 holds 1 twice"}));
  EXPECT_EQ(error_text([&] { check_answers(*small_, {path}, "q", "b"); }),
            "line 1 of '" + path + "' has no \"b\"; --skip-bad-lines passes over such lines");
  const std::string text = folder_.write("text.txt", "text");
  EXPECT_EQ(error_text([&] { check_answers(*small_, {text}, "q", "b"); }),
            "'" + text +
                "' has no records: puzzles are read from .csv, .tsv and .jsonl, or as --as says");
}

}  // namespace
}  // namespace ebt
