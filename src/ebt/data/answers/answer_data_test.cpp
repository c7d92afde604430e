#include "ebt/data/answers/answer_data.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/support/error_text.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::error_text;

const std::string kHint = "; --skip-bad-lines passes over such lines";

class Answers : public ::testing::Test {
 protected:
  AnswerDataConfig config_of(const std::string& name, const std::string& text) {
    AnswerDataConfig config;
    config.data = folder_.write(name, text);
    config.validation = 0;
    return config;
  }
  // The row as text: unknown tokens as '?', padding as '~'.
  static std::string shown(const AnswerFormat& format, const AnswerBatch& batch, int64_t row) {
    std::string text;
    for (int64_t i = row * batch.length; i < (row + 1) * batch.length; ++i) {
      const auto at = static_cast<size_t>(i);
      const int32_t token = batch.tokens[at];
      const char c = format.padded && token == format.padding()
                         ? '~'
                         : format.characters[static_cast<size_t>(token)];
      text += batch.known[at] != 0 ? std::string(1, c) : fmt::format("[{}]", c);
    }
    return text;
  }
  static std::vector<std::string> rows_of(const AnswerData& data, int64_t first, int64_t count) {
    AnswerBatch batch;
    data.training->fill(batch, first, count);
    std::vector<std::string> rows;
    for (int64_t row = 0; row < count; ++row) {
      rows.push_back(shown(data.format, batch, row));
    }
    return rows;
  }
  static std::set<std::string> epoch_of(const AnswerData& data, int64_t epoch = 0) {
    const std::vector<std::string> rows =
        rows_of(data, epoch * data.training_rows, data.training_rows);
    return {rows.begin(), rows.end()};
  }
  // With the path as 'F'.
  std::string error_of(const std::string& name, const std::string& text) {
    const AnswerDataConfig config = config_of(name, text);
    return without_path(error_text([&] { open_answer_data(config, 1); }), config.data);
  }
  static std::string without_path(std::string error, const std::string& path) {
    for (size_t at = 0; (at = error.find(path)) != std::string::npos;) {
      error.replace(at, path.size(), "F");
    }
    return error;
  }

  testing::TemporaryFolder folder_;
};

TEST_F(Answers, AreCellsWherePuzzlesHaveUnknownOnes) {
  for (const char* header : {"puzzle,solution", "quizzes,solutions", "solution,x,puzzle"}) {
    const bool turned = header[0] == 's';
    const std::string text =
        fmt::format("{}\n{}\n{}\n", header, turned ? "1234,x,1030" : "1030,1234",
                    turned ? "4321,x,0321" : "0321,4321");
    const AnswerData data = open_answer_data(config_of("a.csv", text), 1);
    EXPECT_EQ(data.format.layout, AnswerLayout::kCells);
    EXPECT_EQ(data.format.characters, "1234");
    EXPECT_EQ(data.format.unknown, "0");
    EXPECT_EQ(data.format.length, 4);
    EXPECT_EQ(data.format.vocabulary_size(), 4);
    EXPECT_EQ(epoch_of(data), (std::set<std::string>{"1[2]3[4]", "[4]321"}));
  }
}

TEST_F(Answers, FindOutWhichCharactersAreUnknown) {
  const auto unknown_of = [&](const std::string& rows, const std::string& flag = "") {
    AnswerDataConfig config = config_of("a.csv", "puzzle,solution\n" + rows);
    config.unknown = flag;
    return open_answer_data(config, 1).format.unknown;
  };
  EXPECT_EQ(unknown_of("1.34,1234\n"), ".");
  EXPECT_EQ(unknown_of("1_3?,1234\n"), "?_");
  EXPECT_EQ(unknown_of("10.?,10.7\n"), "?") << "others occur in solutions, too";
  EXPECT_EQ(unknown_of("1x3x,1234\n", "x"), "x");
  AnswerDataConfig config = config_of("a.csv", "puzzle,solution\n1034,1234\n1234,1034\n");
  EXPECT_EQ(
      without_path(error_text([&] { open_answer_data(config, 1); }), config.data),
      "line 3 of 'F' has '2' in cell 2 of the puzzle and '0' in that of the solution" + kHint);
  config = config_of("a.csv", "puzzle,solution\n1034,1234\n?234,0234\n");
  EXPECT_EQ(without_path(error_text([&] { open_answer_data(config, 1); }), config.data),
            "'0' stands for unknown cells in puzzles of 'F' and occurs in solutions as well: name "
            "the characters that stand for unknown cells by --unknown");
}

TEST_F(Answers, AreQuestionsAndThenAnswersOtherwise) {
  const AnswerData data =
      open_answer_data(config_of("a.jsonl", R"({"question": "1+2", "answer": "3"})"
                                            "\n"
                                            R"({"prompt": "1+2+3", "completion": "6!"})"
                                            "\n"),
                       1);
  EXPECT_EQ(data.format.layout, AnswerLayout::kAnswer);
  EXPECT_EQ(data.format.question_length, 5);
  EXPECT_EQ(epoch_of(data), (std::set<std::string>{"1+2~~[3][~]", "1+2+3[6][!]"}));
  // As long as each other, but nothing says that characters that differ are unknown.
  const AnswerData sorted = open_answer_data(config_of("b.csv", "question,answer\n312,123\n"), 1);
  EXPECT_EQ(epoch_of(sorted), (std::set<std::string>{"312[1][2][3]"}));
  AnswerDataConfig config = config_of("c.csv", "question,answer\n1.3,123\n");
  config.layout = AnswerLayout::kAnswer;
  EXPECT_EQ(epoch_of(open_answer_data(config, 1)), (std::set<std::string>{"1.3[1][2][3]"}));
}

TEST_F(Answers, OfLinesAndTextHaveGapsOfTheirOwnInEveryEpoch) {
  for (const AnswerLayout layout : {AnswerLayout::kLines, AnswerLayout::kAuto}) {
    AnswerDataConfig config = config_of("a.txt", "to be or not\n\nto be, that is\r\n");
    config.layout = layout;
    config.row_length = 10;
    const AnswerData data = open_answer_data(config, 1);
    EXPECT_EQ(data.format.layout,
              layout == AnswerLayout::kAuto ? AnswerLayout::kText : AnswerLayout::kLines);
    EXPECT_EQ(data.format.unknown, "_");
    EXPECT_EQ(data.format.length, layout == AnswerLayout::kAuto ? 10 : 14);
    std::set<std::string> seen;
    for (int64_t epoch = 0; epoch < 20; ++epoch) {
      for (const std::string& row : epoch_of(data, epoch)) {
        EXPECT_NE(row.find('['), std::string::npos) << row;
        EXPECT_EQ(row.find("[~]"), std::string::npos) << "padding is known: " << row;
        seen.insert(row);
      }
    }
    EXPECT_GT(seen.size(), 30U);
    EXPECT_EQ(rows_of(data, 7, 3), rows_of(open_answer_data(config, 1), 7, 3));
    EXPECT_NE(rows_of(data, 7, 3), rows_of(open_answer_data(config, 2), 7, 3));
  }
}

TEST_F(Answers, ComeOnceInEveryEpochInAnotherOrder) {
  std::string text = "puzzle,solution\n";
  for (int i = 0; i < 90; ++i) {
    text += fmt::format("_{},1{}\n", 10 + i, 10 + i);
  }
  const AnswerData data = open_answer_data(config_of("a.csv", text), 3);
  EXPECT_EQ(epoch_of(data, 0).size(), 90U);
  EXPECT_EQ(epoch_of(data, 0), epoch_of(data, 5));
  EXPECT_NE(rows_of(data, 0, 90), rows_of(data, 90, 90));
  EXPECT_EQ(rows_of(data, 85, 10)[7], rows_of(data, 92, 1)[0]) << "a batch may cross epochs";
}

TEST_F(Answers, AreKeptForValidationEvenly) {
  std::string text = "puzzle,solution\n";
  for (int i = 0; i < 50; ++i) {
    text += fmt::format("_{},1{}\n", 10 + i, 10 + i);
  }
  AnswerDataConfig config = config_of("a.csv", text);
  config.validation = 0.1;
  const AnswerData data = open_answer_data(config, 3);
  EXPECT_EQ(data.training_rows, 45);
  EXPECT_EQ(data.validation->count(), 5);
  AnswerBatch batch;
  data.validation->fill(batch, 0, 5);
  const std::set<std::string> training = epoch_of(data);
  for (int64_t row = 0; row < 5; ++row) {
    EXPECT_EQ(training.count(shown(data.format, batch, row)), 0U);
  }
  EXPECT_EQ(error_text([&] { data.validation->fill(batch, 3, 3); }),
            "rows 3 to 5 were asked for, but there are 5");
  config = config_of("b.csv", "puzzle,solution\n01,11\n");
  config.validation = 0.1;
  EXPECT_EQ(error_text([&] { open_answer_data(config, 3); }),
            "of 1 rows 1 would be kept for validation, and none be left");
}

TEST_F(Answers, HaveAFingerprintOfTheirRows) {
  const auto fingerprint_of = [&](const std::string& name, const std::string& text) {
    AnswerDataConfig config = config_of(name, text);
    config.row_length = 4;
    return open_answer_data(config, 1).fingerprint;
  };
  std::set<uint64_t> fingerprints;
  for (const char* rows : {"10,12\n", "10,13\n", "10,12\n10,12\n", "120,123\n"}) {
    EXPECT_EQ(fingerprint_of("a.csv", fmt::format("puzzle,solution\n{}", rows)),
              fingerprint_of("b.csv", fmt::format("puzzle,solution\n{}", rows)));
    fingerprints.insert(fingerprint_of("a.csv", fmt::format("puzzle,solution\n{}", rows)));
  }
  fingerprints.insert(fingerprint_of("a.txt", "some text"));
  fingerprints.insert(fingerprint_of("a.txt", "some test"));
  EXPECT_EQ(fingerprints.size(), 6U);
}

TEST_F(Answers, AreReadAsAModelOfTheirFormatReadsThem) {
  const AnswerFormat format =
      open_answer_data(config_of("train.csv", "puzzle,solution\n1030,1234\n0321,4321\n"), 1).format;
  const auto test = open_answers(config_of("test.csv", "quizzes,solutions\n0000,2143\n"), format);
  AnswerBatch batch;
  test->fill(batch, 0, 1);
  EXPECT_EQ(shown(format, batch, 0), "[2][1][4][3]");
  const auto error = [&](const std::string& rows) {
    const AnswerDataConfig config = config_of("test.csv", "puzzle,solution\n" + rows);
    return without_path(error_text([&] { open_answers(config, format); }), config.data);
  };
  EXPECT_EQ(error("00005,21435\n"), "line 2 of 'F' has 5 characters where rows have 4" + kHint);
  EXPECT_EQ(error("0000,2145\n"),
            "line 2 of 'F' has '5', which is not a character of the vocabulary, 1234" + kHint);
  EXPECT_EQ(
      error(".143,2143\n"),
      "line 2 of 'F' has '.' in cell 1 of the puzzle and '2' in that of the solution" + kHint);
  const AnswerDataConfig text = config_of("a.txt", "abc abc abc");
  AnswerFormat text_format = open_answer_data(
                                 [&] {
                                   AnswerDataConfig config = text;
                                   config.row_length = 4;
                                   return config;
                                 }(),
                                 1)
                                 .format;
  EXPECT_EQ(open_answers(text, text_format)->count(), 3);
  const AnswerDataConfig other = config_of("b.txt", "abcd");
  EXPECT_EQ(without_path(error_text([&] { open_answers(other, text_format); }), other.data),
            "'F' has 'd', which is not a character of the vocabulary,  abc");
}

TEST_F(Answers, NameTheLineThatIsBad) {
  EXPECT_EQ(error_of("a.csv", "puzzle,solution\n10,12\n100,12\n"),
            "line 3 of 'F' has a puzzle of 3 cells and a solution of 2" + kHint);
  EXPECT_EQ(error_of("a.csv", "puzzle,solution\n10,12\n12,12\n"),
            "line 3 of 'F' asks for nothing: no cell of the puzzle is unknown" + kHint);
  EXPECT_EQ(
      error_of("a.csv", "puzzle,solution\n10,12\n35,12\n"),
      "line 3 of 'F' has '3' in cell 1 of the puzzle and '1' in that of the solution" + kHint);
  EXPECT_EQ(error_of("a.csv", "a,solution\n10,12\n"),
            "line 2 of 'F' has none of puzzle, quizzes, question, prompt: name the field by "
            "--puzzle-field");
  EXPECT_EQ(error_of("a.jsonl", "{\"question\": \"1+1\"}\n"),
            "line 1 of 'F' has none of solution, solutions, answer, completion: name the field by "
            "--answer-field" +
                kHint);
  EXPECT_EQ(error_of("a.csv", "puzzle,solution\n10,12\n\"10\n"),
            "line 3 of 'F' has a quote that is not closed" + kHint);
  EXPECT_EQ(error_of("a.csv", "puzzle,solution\n"), "'F' is empty: there is no row to read");
  EXPECT_EQ(error_of("a.jsonl", "{\"puzzle\": 3}\n"),
            "line 1 of 'F' has a \"puzzle\" that is not a string" + kHint);
}

TEST_F(Answers, PassOverBadLinesWhereThatIsWanted) {
  AnswerDataConfig config = config_of("a.csv", "puzzle,solution\n10,12\n100,12\n99,12\n,\n20,21\n");
  config.skip_bad_lines = true;
  ::testing::internal::CaptureStderr();
  const AnswerData data = open_answer_data(config, 1);
  const std::string told = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(data.bad_lines, 3);
  EXPECT_EQ(data.training_rows, 2);
  EXPECT_NE(told.find("3 bad lines were passed over"), std::string::npos) << told;
}

TEST_F(Answers, OfDifferentLengthsAreFilledUp) {
  const AnswerData data =
      open_answer_data(config_of("a.csv", "puzzle,solution\n10,12\n3002,3122\n"), 1);
  EXPECT_TRUE(data.format.padded);
  EXPECT_EQ(epoch_of(data), (std::set<std::string>{"1[2]~~", "3[1][2]2"}));
}

TEST_F(Answers, RefuseWhatCannotBe) {
  AnswerDataConfig config;
  EXPECT_EQ(error_text([&] { open_answer_data(config, 1); }),
            "--data: name a file of puzzles, of questions, or of text");
  config = config_of("a.csv", "puzzle,solution\n10,12\n");
  config.grid = "2x2";
  EXPECT_EQ(error_text([&] { open_answer_data(config, 1); }),
            "--grid: 2x2 are 4 cells, and rows of the data have 2");
  config.grid = "1x2";
  EXPECT_EQ(open_answer_data(config, 1).format.grid, "1x2");
  config = config_of("c.csv", "puzzle,solution\n22,12\n");
  config.unknown = "2";
  EXPECT_EQ(without_path(error_text([&] { open_answer_data(config, 1); }), config.data),
            "line 2 of 'F' has '2', which stands for unknown cells, in its solution" + kHint);
  config = config_of("a.txt", "some text");
  config.unknown = "e";
  config.row_length = 4;
  EXPECT_EQ(without_path(error_text([&] { open_answer_data(config, 1); }), config.data),
            "--unknown: 'e' occurs in 'F'");
}

}  // namespace
}  // namespace ebt
