// Thousands of damaged files of puzzles, questions and lines: each is refused with an Error, or
// becomes rows that can be used.
#include <gtest/gtest.h>

#include "ebt/core/config_fields.h"
#include "ebt/data/answers/answer_data.h"
#include "ebt/io/json.h"
#include "tests/fuzz/mutator.h"
#include "tests/fuzz/refusals.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::expect_refused_or_consistent;
using testing::Mutator;
using testing::TemporaryFolder;

void expect_consistent(const AnswerFormat& format, const AnswerBatch& batch) {
  EXPECT_EQ(batch.length, format.length);
  EXPECT_EQ(batch.tokens.size(), static_cast<size_t>(batch.rows * batch.length));
  EXPECT_EQ(batch.known.size(), batch.tokens.size());
  for (const int32_t token : batch.tokens) {
    EXPECT_GE(token, 0);
    EXPECT_LT(token, format.vocabulary_size());
  }
}

// Opens a mutation of `valid` for training, and then as a model of its format reads it.
void read_mutations(const std::string& name, const std::string& valid, AnswerDataConfig config) {
  const TemporaryFolder folder;
  expect_refused_or_consistent([&](Mutator mutator) {
    std::string text = valid;
    mutator.mutate(text, 0, text.size());
    config.data = folder.write(name, text);
    config.skip_bad_lines = mutator.below(2) == 0;
    ::testing::internal::CaptureStderr();
    try {
      const AnswerData data = open_answer_data(config, 1);
      AnswerBatch batch;
      data.training->fill(batch, 0, 2 * data.training_rows);
      expect_consistent(data.format, batch);
      data.validation->fill(batch, 0, data.validation->count());
      expect_consistent(data.format, batch);
      const auto all = open_answers(config, data.format);
      all->fill(batch, 0, all->count());
      expect_consistent(data.format, batch);
    } catch (...) {
      ::testing::internal::GetCapturedStderr();
      throw;
    }
    ::testing::internal::GetCapturedStderr();
  });
}

TEST(FuzzAnswers, OfPuzzlesAreRefusedOrConsistent) {
  AnswerDataConfig config;
  config.grid = "2x2";
  config.boxes = "1x2";
  read_mutations("x.csv", "puzzle,solution\n1030,1234\n0321,4321\n\"2_30\",2134\n4000,4123\n",
                 config);
}

TEST(FuzzAnswers, OfQuestionsAreRefusedOrConsistent) {
  read_mutations("x.jsonl",
                 "{\"question\": \"1+2\", \"answer\": \"3\"}\n{\"question\": \"10+2\", \"answer\": "
                 "\"12\"}\n[]\n{\"question\": \"\\u00e9\", \"answer\": \"e\"}\n",
                 {});
}

TEST(FuzzAnswers, OfLinesAreRefusedOrConsistent) {
  AnswerDataConfig config;
  config.layout = AnswerLayout::kLines;
  config.grid = "4x5";  // of the longest line
  read_mutations("x.txt", "to be, or not to be:\n\nthat is 9 or \"10\"\r\n", config);
}

// What a model's folder may say of its data.
TEST(FuzzAnswers, FormatsAreRefusedOrCanBeUsed) {
  const std::string valid =
      R"({"layout": "cells", "characters": "123456", "unknown": "0", "length": 36,
          "question-length": 0, "padded": false, "grid": "6x6", "boxes": "2x3"})";
  expect_refused_or_consistent([&](Mutator mutator) {
    std::string text = valid;
    mutator.mutate(text, 0, text.size());
    AnswerFormat format;
    fields_from_json(parse_json(text, "the mutation"), "the mutation", format);
    format.check();
    const AnswerEncoder encoder(format);
    std::vector<int32_t> tokens(static_cast<size_t>(format.length));
    std::vector<uint8_t> known(tokens.size());
    const std::string question(
        static_cast<size_t>(format.question_length == 0 ? format.length : format.question_length),
        format.characters[0]);
    encoder.encode_question("it", question, tokens, known);
    EXPECT_LE(encoder.decode(tokens).size(), tokens.size());
    for (const RowAxis& axis : grid_axes(format.grid, format.boxes, format.length)) {
      for (const int32_t coordinate : axis.coordinates) {
        EXPECT_LT(coordinate, axis.size);
      }
    }
  });
}

}  // namespace
}  // namespace ebt
