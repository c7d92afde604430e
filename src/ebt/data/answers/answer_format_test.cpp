#include "ebt/data/answers/answer_format.h"

#include <gtest/gtest.h>

#include "tests/support/error_text.h"

namespace ebt {
namespace {

using testing::error_text;
using Tokens = std::vector<int32_t>;
using Known = std::vector<uint8_t>;

struct Row {
  Tokens tokens;
  Known known;
};

class Format : public ::testing::Test {
 protected:
  static Row encoded(const AnswerFormat& format, const std::string& question,
                     const std::string& answer) {
    Row row{Tokens(static_cast<size_t>(format.length)), Known(static_cast<size_t>(format.length))};
    AnswerEncoder(format).encode("it", question, answer, row.tokens, row.known);
    return row;
  }
  static Row asked(const AnswerFormat& format, const std::string& question) {
    Row row{Tokens(static_cast<size_t>(format.length)), Known(static_cast<size_t>(format.length))};
    AnswerEncoder(format).encode_question("it", question, row.tokens, row.known);
    return row;
  }

  AnswerFormat cells_{AnswerLayout::kCells, "1234", "0", 4, 0, false, "", ""};
  AnswerFormat answers_{AnswerLayout::kAnswer, "+123", "", 7, 4, true, "", ""};
};

TEST_F(Format, KnowsCellsInWhichPuzzleAndSolutionAgree) {
  const Row row = encoded(cells_, "1030", "1234");
  EXPECT_EQ(row.tokens, (Tokens{0, 1, 2, 3}));
  EXPECT_EQ(row.known, (Known{1, 0, 1, 0}));
  const Row question = asked(cells_, "1030");
  EXPECT_EQ(question.tokens, (Tokens{0, 0, 2, 0})) << "what is asked for is not told";
  EXPECT_EQ(question.known, row.known);
}

TEST_F(Format, AsksForAllOfAnAnswerAndForItsEnd) {
  const Row row = encoded(answers_, "1+2", "3");
  EXPECT_EQ(row.tokens, (Tokens{1, 0, 2, 4, 3, 4, 4}));
  EXPECT_EQ(row.known, (Known{1, 1, 1, 1, 0, 0, 0}));
  EXPECT_EQ(AnswerEncoder(answers_).decode(row.tokens), "3");
  const Row question = asked(answers_, "1+2");
  EXPECT_EQ(question.tokens, (Tokens{1, 0, 2, 4, 0, 0, 0}));
  EXPECT_EQ(question.known, row.known);
}

TEST_F(Format, KnowsAllOfALineUntilGapsAreDrawnAndWhatAMarkAsksFor) {
  const AnswerFormat lines{AnswerLayout::kLines, "abc", "_", 5, 0, true, "", ""};
  const Row row = encoded(lines, "", "cab");
  EXPECT_EQ(row.tokens, (Tokens{2, 0, 1, 3, 3}));
  EXPECT_EQ(row.known, (Known{1, 1, 1, 1, 1}));
  EXPECT_EQ(asked(lines, "c_b").known, (Known{1, 0, 1, 1, 1}));
  EXPECT_EQ(AnswerEncoder(lines).decode(row.tokens), "cab");
}

TEST_F(Format, RefusesWhatIsNoRowOfIt) {
  EXPECT_EQ(error_text([&] { encoded(cells_, "103", "123"); }),
            "it has 3 characters where rows have 4");
  EXPECT_EQ(error_text([&] { encoded(cells_, "1030", "1235"); }),
            "it has '5', which is not a character of the vocabulary, 1234");
  EXPECT_EQ(error_text([&] { encoded(cells_, "1030", "1243"); }),
            "it has '3' in cell 3 of the puzzle and '4' in that of the solution");
  EXPECT_EQ(error_text([&] { encoded(answers_, "1+2+3", "3"); }),
            "it has 5 characters where rows have 4");
  EXPECT_EQ(error_text([&] { asked(cells_, "1.34"); }),
            "it has '.', which is not a character of the vocabulary, 1234");
}

TEST_F(Format, IsCheckedBeforeItIsUsed) {
  const auto error_of = [&](auto&& change, AnswerFormat format) {
    change(format);
    return error_text([&] { format.check(); });
  };
  EXPECT_EQ(error_of([](AnswerFormat&) {}, cells_), "no error");
  EXPECT_EQ(error_of([](AnswerFormat&) {}, answers_), "no error");
  EXPECT_EQ(error_of([](AnswerFormat& f) { f.layout = AnswerLayout::kAuto; }, cells_),
            "layout: auto is no layout of rows");
  EXPECT_EQ(error_of([](AnswerFormat& f) { f.characters = "1231"; }, cells_),
            "characters: '1' stands there twice");
  EXPECT_EQ(error_of([](AnswerFormat& f) { f.unknown = "2"; }, cells_),
            "unknown: '2' is a character of the vocabulary as well");
  EXPECT_EQ(error_of([](AnswerFormat& f) { f.length = int64_t{1} << 40; }, cells_),
            "length: 1099511627776 is not between 1 and 65536");
  EXPECT_EQ(error_of([](AnswerFormat& f) { f.question_length = 7; }, answers_),
            "question-length: 7 cannot be, of rows of 7");
  EXPECT_EQ(error_of([](AnswerFormat& f) { f.padded = false; }, answers_),
            "padded: rows of answer are filled up");
  EXPECT_EQ(error_of([](AnswerFormat& f) { f.grid = "2x3"; }, cells_),
            "--grid: 2x3 are 6 cells, and rows of the data have 4");
}

TEST(GridAxes, AreRowColumnAndBox) {
  const std::vector<RowAxis> axes = grid_axes("4x6", "2x3", 24);
  ASSERT_EQ(axes.size(), 3U);
  EXPECT_EQ(axes[0].size, 4);
  EXPECT_EQ(axes[1].size, 6);
  EXPECT_EQ(axes[2].size, 4);
  const size_t cell = 2 * 6 + 4;  // row 2, column 4
  EXPECT_EQ(axes[0].coordinates[cell], 2);
  EXPECT_EQ(axes[1].coordinates[cell], 4);
  EXPECT_EQ(axes[2].coordinates[cell], 3);
  std::vector<int64_t> cells(4);
  for (const int32_t box : axes[2].coordinates) {
    ++cells[static_cast<size_t>(box)];
  }
  EXPECT_EQ(cells, (std::vector<int64_t>{6, 6, 6, 6}));
  EXPECT_EQ(grid_axes("4x6", "", 24).size(), 2U);
  EXPECT_TRUE(grid_axes("", "", 24).empty());
}

TEST(GridAxes, RefuseGridsAndBoxesThatDoNotFit) {
  EXPECT_EQ(error_text([] { grid_axes("6x6", "", 81); }),
            "--grid: 6x6 are 36 cells, and rows of the data have 81");
  EXPECT_EQ(error_text([] { grid_axes("9x9", "2x3", 81); }),
            "--boxes: boxes of 2x3 do not tile a grid of 9x9");
  EXPECT_EQ(error_text([] { grid_axes("", "2x3", 36); }), "--boxes: 2x3 are boxes of no --grid");
}

}  // namespace
}  // namespace ebt
