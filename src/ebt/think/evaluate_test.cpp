#include "ebt/think/evaluate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <string>

#include "ebt/data/text/windows.h"
#include "tests/support/bigram_model.h"
#include "tests/support/error_text.h"

namespace ebt {
namespace {

using testing::BigramModel;
using testing::error_text;

constexpr int64_t kContext = 5;
const std::string kText = "the energy falls, the thought is done, and the next one begins";

ValidationWindows windows_of(std::vector<std::string_view> documents) {
  return {TokenSequence(std::move(documents), nullptr), kContext};
}

BigramModel<double> some_model() {
  TextModelConfig config;
  config.context = kContext;
  BigramModel<double> model(config);
  for (int64_t i = 0; i < model.weights().all().count(); ++i) {
    model.edit_weights().all()[i] = std::sin(static_cast<double>(i + 1));
  }
  return model;
}

TEST(TextLosses, DividesTotalsOnce) {
  TextLosses evaluation;
  evaluation.count = 4;
  evaluation.bytes = 3;
  evaluation.losses = {12.0, 8.0};
  evaluation.energies = {-4.0, -10.0};
  EXPECT_EQ(evaluation.mean_losses(), (std::vector<double>{3.0, 2.0}));
  EXPECT_EQ(evaluation.mean_energies(), (std::vector<double>{-1.0, -2.5}));
  EXPECT_DOUBLE_EQ(evaluation.loss(), 2.0);
  EXPECT_DOUBLE_EQ(evaluation.perplexity(), std::exp(2.0));
  EXPECT_DOUBLE_EQ(evaluation.bits_per_byte(), 8.0 / std::numbers::ln2 / 3.0);
}

TEST(Evaluate, SumsOverEveryTokenOfTheText) {
  BigramModel<double> model = some_model();
  const ValidationWindows windows = windows_of({kText});
  Batch whole;
  windows.fill(whole, 0, windows.count());
  const LossSums expected = model.evaluate(whole.input_view(), whole.target_view(), {});
  const TextLosses evaluation = evaluate(model, windows, 4, {});
  EXPECT_EQ(evaluation.count, static_cast<int64_t>(kText.size()) - 1);
  EXPECT_EQ(evaluation.bytes, evaluation.count);
  ASSERT_EQ(evaluation.losses.size(), 2U);
  EXPECT_NEAR(evaluation.losses[0], expected.losses[0], 1e-9);
  EXPECT_NEAR(evaluation.losses[1], expected.losses[1], 1e-9);
  EXPECT_NEAR(evaluation.energies[1], expected.energies[1], 1e-9);
  EXPECT_EQ(model.most_rows, windows.count());
}

TEST(Evaluate, DoesNotDependOnTheRowsPerBatch) {
  BigramModel<double> model = some_model();
  const ValidationWindows windows = windows_of({kText});
  const TextLosses one = evaluate(model, windows, 1, {.seed = 3});
  const TextLosses five = evaluate(model, windows, 5, {.seed = 3});
  EXPECT_NEAR(one.losses[0], five.losses[0], 1e-9);
  EXPECT_NEAR(one.losses[1], five.losses[1], 1e-9);
  EXPECT_EQ(model.most_rows, 5);
}

TEST(Evaluate, SpreadsFewerWindowsOverTheText) {
  BigramModel<double> model = some_model();
  // It knows that "a" follows "a". Windows of both halves must be seen equally often.
  model.edit_weights().tensor("table")['a' * model.config().vocab_size + 'a'] = 9.0;
  const std::string text = std::string(50, 'a') + std::string(51, 'b');
  const ValidationWindows windows = windows_of({text});
  const TextLosses some = evaluate(model, windows, 4, {}, 6);
  EXPECT_EQ(some.count, 6 * kContext);
  Batch of_a;
  Batch of_b;
  windows.fill(of_a, 0, 1);
  windows.fill(of_b, 10, 1);
  const double a = model.evaluate(of_a.input_view(), of_a.target_view(), {}).losses[1];
  const double b = model.evaluate(of_b.input_view(), of_b.target_view(), {}).losses[1];
  EXPECT_GT(b - a, 15.0);
  EXPECT_NEAR(some.losses[1], 3 * a + 3 * b, 5.0);
}

TEST(Evaluate, CountsNoBytesForSeparators) {
  BigramModel<double> model = some_model();
  const TextLosses evaluation = evaluate(model, windows_of({"abc", "defg"}), 2, {});
  EXPECT_EQ(evaluation.count, 7);
  EXPECT_EQ(evaluation.bytes, 6);
}

TEST(Evaluate, RefusesATextWithoutTargets) {
  BigramModel<double> model = some_model();
  EXPECT_EQ(error_text([&] { evaluate(model, windows_of({"a"}), 2, {}); }),
            "evaluate: the text has no token to predict");
}

}  // namespace
}  // namespace ebt
