#include "ebt/eval/outcomes.h"

#include <gtest/gtest.h>

#include "ebt/data/text/windows.h"
#include "ebt/eval/tasks.h"
#include "tests/support/bigram_generator.h"
#include "tests/support/error_text.h"

namespace ebt {
namespace {

using testing::BigramGenerator;
using testing::BigramTable;
using testing::error_text;

std::unique_ptr<Task> alphabet() {
  static const std::string kText = "abcdefghijk";
  return text_task(byte_tokenizer(),
                   std::make_shared<ValidationWindows>(TokenSequence({kText}, nullptr), 4),
                   "the alphabet", 0);
}

TEST(Outcomes, TellEveryPredictionAndWhetherItWasRight) {
  BigramTable table(257);
  for (int32_t token = 'a'; token < 'k'; ++token) {
    table.set(token, token + 1, 0.8);
  }
  table.set('f', 'a', 0.8);
  BigramGenerator generator(table);
  ThinkOptions think;
  think.steps = 1;
  std::vector<int64_t> progress;
  const TextOutcomes outcomes = predict_outcomes(generator, *alphabet(), think,
                                                 [&](int64_t done) { progress.push_back(done); });
  EXPECT_EQ(progress, (std::vector<int64_t>{1, 2, 3}));
  ASSERT_EQ(outcomes.fit.size(), 4U + 2U) << "windows 1 and 3";
  ASSERT_EQ(outcomes.held_out.size(), 4U);
  const double probability = 0.5 * 0.8 + 0.5 / 257;
  for (const TokenOutcome& one : outcomes.fit) {
    EXPECT_TRUE(one.right);
    EXPECT_NEAR(one.probability, probability, 1e-12);
    EXPECT_NEAR(one.energy, 1 - probability, 1e-12);
  }
  EXPECT_TRUE(outcomes.held_out[0].right);
  EXPECT_FALSE(outcomes.held_out[1].right) << "f is not followed by a";
}

TEST(Outcomes, NeedAModelThatThinks) {
  BigramGenerator baseline(BigramTable(257), 3, Architecture::kTransformerPp);
  EXPECT_EQ(error_text([&] { predict_outcomes(baseline, *alphabet(), {}, nullptr); }),
            "calibration: the model is a Transformer++, which has no energy");
}

}  // namespace
}  // namespace ebt
