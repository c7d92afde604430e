#include "ebt/eval/scoring.h"

#include <gtest/gtest.h>

#include "tests/support/bigram_generator.h"
#include "tests/support/error_text.h"

namespace ebt {
namespace {

using testing::BigramGenerator;
using testing::BigramTable;
using testing::error_text;

constexpr int32_t kTokens = 10;

// Token t is followed by t + 1.
BigramTable counting() {
  BigramTable table(kTokens);
  for (int32_t token = 0; token < kTokens; ++token) {
    table.set(token, (token + 1) % kTokens, 0.9);
  }
  return table;
}

// Continues token `first` by so many tokens.
Query counting_from(int32_t first, int64_t tokens) {
  Query query;
  query.request.prompt = {first};
  query.request.max_tokens = tokens;
  query.request.sampling.temperature = 0;
  return query;
}

std::vector<int32_t> tokens_of(const Answer& answer) {
  std::vector<int32_t> tokens;
  for (const TokenReport& report : answer.tokens) {
    tokens.push_back(report.token);
  }
  return tokens;
}

TEST(Scoring, AnswersInOrderHoweverLongEachTakes) {
  BigramGenerator generator(counting(), 2);
  constexpr int64_t kQueries = 100;
  int64_t asked = 0;
  int64_t answered = 0;
  int64_t most_ahead = 0;
  run_queries(
      generator,
      [&]() -> std::optional<Query> {
        if (asked == kQueries) {
          return std::nullopt;
        }
        const int64_t i = asked++;
        return counting_from(static_cast<int32_t>(i % kTokens), i == 3 ? 300 : 1 + i * 7 % 5);
      },
      [&](Answer&& answer) {
        EXPECT_EQ(answer.tokens.size(), answered == 3 ? 300U : 1U + answered * 7 % 5);
        EXPECT_EQ(answer.tokens[0].token, (answered + 1) % kTokens);
        EXPECT_EQ(answer.finish, FinishReason::kLength);
        most_ahead = std::max(most_ahead, asked - answered);
        ++answered;
      });
  EXPECT_EQ(answered, kQueries);
  EXPECT_LE(generator.most_submitted(), 4) << "twice what it runs at a time";
  EXPECT_LE(most_ahead, 16) << "behind a slow one, answers do not pile up";
}

TEST(Scoring, GivesTheNumbersOfAGeneratorOfAnyCapacity) {
  const auto log_probabilities = [](int64_t capacity) {
    BigramGenerator generator(counting(), capacity);
    std::vector<Query> queries;
    for (int32_t i = 0; i < 9; ++i) {
      queries.push_back(counting_from(i, i));
      queries.back().request.score_from = 1;
      queries.back().request.prompt = {i, static_cast<int32_t>((i * i) % kTokens)};
    }
    std::vector<double> result;
    for (const Answer& answer : run_queries(generator, queries)) {
      for (const TokenReport& token : answer.tokens) {
        result.push_back(token.log_probability);
      }
    }
    return result;
  };
  EXPECT_EQ(log_probabilities(1), log_probabilities(7));
  EXPECT_EQ(log_probabilities(1).size(), 9U + 36U);
}

TEST(Scoring, EndsWhatHasWrittenEnough) {
  BigramGenerator generator(counting());
  std::vector<Query> queries = {counting_from(0, 50), counting_from(5, 2)};
  queries[0].request.prompt = {7, 8, 9, 0};
  queries[0].request.score_from = 1;
  queries[0].is_done = [](const std::vector<TokenReport>& tokens) {
    EXPECT_FALSE(tokens.back().from_prompt);
    return tokens.back().token == 4;
  };
  const std::vector<Answer> answers = run_queries(generator, queries);
  EXPECT_EQ(tokens_of(answers[0]), (std::vector<int32_t>{8, 9, 0, 1, 2, 3, 4}));
  EXPECT_EQ(answers[0].finish, FinishReason::kCancelled);
  EXPECT_EQ(tokens_of(answers[1]), (std::vector<int32_t>{6, 7}));
}

// A model whose predictions are not finite.
class BrokenGenerator : public BigramGenerator {
 public:
  using BigramGenerator::BigramGenerator;
  int64_t submit(GenerationRequest request, GenerationCallbacks callbacks) override {
    request.max_tokens = 0;
    callbacks.on_finish = [finish = std::move(callbacks.on_finish)](FinishReason) {
      finish(FinishReason::kNotFinite);
    };
    return BigramGenerator::submit(std::move(request), std::move(callbacks));
  }
};

TEST(Scoring, RefusesPredictionsThatAreNotFinite) {
  BrokenGenerator generator(counting());
  EXPECT_EQ(
      error_text([&] { run_queries(generator, {counting_from(0, 5)}); }),
      "the model's prediction is not a finite number: its weights are too large, as training that "
      "diverged leaves them, or so is the step size or noise that it thinks with");
}

TEST(Scoring, LeavesNothingRunningWhenItFails) {
  BigramGenerator generator(counting());
  int64_t asked = 0;
  const auto next = [&]() -> std::optional<Query> {
    ++asked;
    return counting_from(0, asked);
  };
  EXPECT_EQ(
      error_text([&] { run_queries(generator, next, [](Answer&&) { fail("the disk is full"); }); }),
      "the disk is full");
  EXPECT_EQ(generator.running() + generator.waiting(), 0);
  const auto impossible = [&]() -> std::optional<Query> { return Query{}; };
  EXPECT_EQ(error_text([&] { run_queries(generator, impossible, [](Answer&&) {}); }),
            "the prompt has no token");
  EXPECT_EQ(generator.running() + generator.waiting(), 0);
}

TEST(Scoring, OfNothingIsNothing) {
  BigramGenerator generator(counting());
  EXPECT_TRUE(run_queries(generator, std::vector<Query>{}).empty());
}

}  // namespace
}  // namespace ebt
