#include "ebt/data/text/examples.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/compressor.h"
#include "tests/support/error_text.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::error_text;

constexpr int32_t kSeparator = 256;
constexpr int32_t kNone = kIgnoredTarget;

const std::string kHint = "; --skip-bad-lines passes over such lines";

class Examples : public ::testing::Test {
 protected:
  ExampleSet open(const std::string& text, int64_t context = 8) {
    return ExampleSet::open({folder_.write("F.jsonl", text), "a"}, "q", *byte_tokenizer(), context);
  }
  // `count` examples that answer "1", "2", ... to "q".
  ExampleSet counting(int64_t count) {
    std::string text;
    for (int64_t i = 1; i <= count; ++i) {
      text += R"({"q": "q", "a": ")" + std::to_string(i) + "\"}\n";
    }
    return open(text);
  }
  std::string error_of(const std::string& text, int64_t context = 8) {
    std::string error = error_text([&] { open(text, context); });
    const std::string path = folder_.file("F.jsonl");
    const size_t found = error.find(path);
    return found == std::string::npos ? error : error.replace(found, path.size(), "F");
  }
  static std::string answer_of(const Batch& batch, int64_t row) {
    std::string answer;
    for (int64_t i = 0; i < batch.context; ++i) {
      const int32_t target = batch.targets[static_cast<size_t>(row * batch.context + i)];
      if (target != kNone && target != kSeparator) {
        answer += static_cast<char>(target);
      }
    }
    return answer;
  }

  testing::TemporaryFolder folder_;
};

TEST_F(Examples, AreRowsOfWhichTheAnswerAndItsEndAreLearned) {
  const ExampleSet set = open(R"({"q": "ab", "a": "cde"})");
  Batch batch;
  set.fill(batch, 0, 1);
  EXPECT_EQ(batch.inputs,
            (std::vector<int32_t>{kSeparator, 'a', 'b', 'c', 'd', 'e', kSeparator, kSeparator}));
  EXPECT_EQ(batch.targets,
            (std::vector<int32_t>{kNone, kNone, 'c', 'd', 'e', kSeparator, kNone, kNone}));
  EXPECT_EQ(batch.target_bytes, 3);
  EXPECT_EQ(set.target_count(), 4);
  EXPECT_EQ(set.example(0).tokens,
            (std::vector<int32_t>{kSeparator, 'a', 'b', 'c', 'd', 'e', kSeparator}));
  EXPECT_EQ(set.example(0).answer_from, 3);
}

TEST_F(Examples, MayJustFitTheContext) {
  Batch batch;
  open(R"({"q": "ab", "a": "cde"})", 6).fill(batch, 0, 1);
  EXPECT_EQ(batch.targets.back(), kSeparator);
  EXPECT_EQ(error_of(R"({"q": "ab", "a": "cde"})", 5),
            "line 1 of 'F' takes a context of 6 tokens, and that is 5" + kHint);
}

TEST_F(Examples, OfASeriesComeOnceInEveryEpochInAnotherOrder) {
  const ExampleSet set = counting(50);
  ExampleSeries series(set, 3);
  std::vector<std::string> orders[2];
  for (int64_t epoch = 0; epoch < 2; ++epoch) {
    Batch batch;
    series.fill(batch, epoch * 50, 50);
    for (int64_t row = 0; row < 50; ++row) {
      orders[epoch].push_back(answer_of(batch, row));
    }
    EXPECT_EQ(std::set<std::string>(orders[epoch].begin(), orders[epoch].end()).size(), 50U);
  }
  EXPECT_NE(orders[0], orders[1]);
  Batch batch;
  series.fill(batch, 48, 4);  // across the seam, after what came later
  EXPECT_EQ(answer_of(batch, 0), orders[0][48]);
  EXPECT_EQ(answer_of(batch, 3), orders[1][1]);
  EXPECT_EQ(batch.rows, 4);
}

TEST_F(Examples, AreSplitEvenly) {
  const auto [training, validation] = counting(20).split(0.1);
  EXPECT_EQ(training.count(), 18);
  ASSERT_EQ(validation.count(), 2);
  Batch batch;
  validation.fill(batch, 0, 2);
  EXPECT_EQ(answer_of(batch, 0), "10");
  EXPECT_EQ(answer_of(batch, 1), "20");
  EXPECT_EQ(counting(20).split(0).validation.count(), 0);
  EXPECT_EQ(counting(20).split(0.001).validation.count(), 1);
  EXPECT_EQ(error_text([&] { counting(1).split(0.1); }),
            "of 1 examples 1 would be kept for validation, and none be left");
}

TEST_F(Examples, MayLieInTablesAndInFilesOfAFolder) {
  folder_.write("in/1.csv", "a,q\n\"one, two\",x\n");
  folder_.write("in/2.jsonl.gz", testing::gzip("{\"q\": \"x\", \"a\": \"3\"}\n"));
  const ExampleSet set = ExampleSet::open({folder_.file("in"), "a"}, "q", *byte_tokenizer(), 20);
  ASSERT_EQ(set.count(), 2);
  Batch batch;
  set.fill(batch, 0, 2);
  EXPECT_EQ(answer_of(batch, 0), "one, two");
  EXPECT_EQ(answer_of(batch, 1), "3");
  EXPECT_EQ(set.summary().files, 2);
  EXPECT_EQ(set.summary().documents, 2);
  const std::string table = folder_.write("table.csv", "a,p\n1,x\n");
  EXPECT_EQ(error_text([&] {
              ExampleSet::open({table, "a"}, "q", *byte_tokenizer(), 20);
            }),
            "line 2 of '" + table + "' has no \"q\"");
  const std::string text = folder_.write("in/3.txt", "text");
  EXPECT_EQ(error_text([&] {
              ExampleSet::open({folder_.file("in"), "a"}, "q", *byte_tokenizer(), 20);
            }),
            "--prompt-field: '" + text +
                "' has no records: prompts with answers are read from .jsonl, .csv and .tsv, or as "
                "--as says");
}

TEST_F(Examples, ThatAreBadArePassedOverWhereThisIsAskedFor) {
  TextSource source{folder_.write("F.jsonl",
                                  "{\"q\": \"x\", \"a\": \"1\"}\n{\"q\": \"x\"}\n"
                                  "{\"q\": \"x\", \"a\": \"far too long for it\"}\n"
                                  "{\"q\": \"x\", \"a\": \"2\"}\n"),
                    "a"};
  source.skip_bad_lines = true;
  const ExampleSet set = ExampleSet::open(source, "q", *byte_tokenizer(), 8);
  EXPECT_EQ(set.count(), 2);
  EXPECT_EQ(set.summary().bad_lines, 2);
}

TEST_F(Examples, ThatAreNoneAreRefusedInOneSentence) {
  EXPECT_EQ(error_of(""), "'F' is empty: there is no example to read");
  EXPECT_EQ(error_of(R"({"q": "x"})"), "line 1 of 'F' has no \"a\"" + kHint);
  EXPECT_EQ(error_of(R"({"q": " ", "a": "y"})"), "line 1 of 'F' has an empty \"q\"" + kHint);
  const ExampleSet set = counting(3);
  Batch batch;
  EXPECT_EQ(error_text([&] { set.fill(batch, 2, 2); }),
            "examples 2 to 3 were asked for, but there are 3");
}

}  // namespace
}  // namespace ebt
