#include "ebt/think/generate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "ebt/data/tokenizer.h"
#include "tests/support/bigram_model.h"
#include "tests/support/error_text.h"

namespace ebt {
namespace {

using testing::BigramModel;
using testing::error_text;

// Probabilities 0.1, 0.4, 0.3, 0.2.
const std::vector<double> kLogits = {std::log(1.0), std::log(4.0), std::log(3.0), std::log(2.0)};

int32_t sample(double temperature, double top_p, double uniform) {
  return sample_token(Tensor<const double>{kLogits.data(), {4}}, temperature, top_p, uniform);
}

// Knows one word by heart: after each of its letters, the next; after the last, a separator.
BigramModel<float> model_of_word(const std::string& word) {
  ModelConfig config;
  config.context = 3;
  BigramModel<float> model(config);
  const Tensor<float> table = model.weights().tensor("table");
  for (size_t i = 0; i < word.size(); ++i) {
    const int32_t next = i + 1 < word.size() ? word[i + 1] : byte_tokenizer()->document_separator();
    table[word[i] * config.vocab_size + next] = 9.0F;
  }
  table[byte_tokenizer()->document_separator() * config.vocab_size + word[0]] = 9.0F;
  return model;
}

std::string text_of(const std::vector<GeneratedToken>& tokens) {
  std::vector<int32_t> bare;
  bare.reserve(tokens.size());
  for (const GeneratedToken& token : tokens) {
    bare.push_back(token.token);
  }
  return byte_tokenizer()->decode(bare);
}

TEST(SampleToken, InvertsTheCumulativeProbabilityOfTheLikeliestFirst) {
  EXPECT_EQ(sample(1, 1, 0.0), 1);
  EXPECT_EQ(sample(1, 1, 0.39), 1);
  EXPECT_EQ(sample(1, 1, 0.41), 2);
  EXPECT_EQ(sample(1, 1, 0.69), 2);
  EXPECT_EQ(sample(1, 1, 0.71), 3);
  EXPECT_EQ(sample(1, 1, 0.89), 3);
  EXPECT_EQ(sample(1, 1, 0.91), 0);
  EXPECT_EQ(sample(1, 1, 0.999999), 0);
}

TEST(SampleToken, TakesTheLikeliestAtTemperatureZero) {
  EXPECT_EQ(sample(0, 1, 0.999999), 1);
  EXPECT_EQ(sample(0, 0.1, 0.5), 1);
}

TEST(SampleToken, SharpensAtLowTemperature) {
  // Squared probabilities 1, 16, 9, 4 of 30.
  EXPECT_EQ(sample(0.5, 1, 15.9 / 30), 1);
  EXPECT_EQ(sample(0.5, 1, 16.1 / 30), 2);
  EXPECT_EQ(sample(0.5, 1, 25.1 / 30), 3);
}

TEST(SampleToken, KeepsTheSmallestNucleusThatReachesTopP) {
  // The two likeliest hold 0.7: only they remain, 4 : 3.
  EXPECT_EQ(sample(1, 0.6, 4.0 / 7 - 0.01), 1);
  EXPECT_EQ(sample(1, 0.6, 4.0 / 7 + 0.01), 2);
  EXPECT_EQ(sample(1, 0.6, 0.999999), 2);
  EXPECT_EQ(sample(1, 0.01, 0.999999), 1);
}

TEST(SampleToken, RefusesAPredictionThatIsNotFinite) {
  const std::vector<double> logits = {0.0, std::numeric_limits<double>::quiet_NaN()};
  EXPECT_EQ(error_text([&] {
              sample_token(Tensor<const double>{logits.data(), {2}}, 1, 1, 0.5);
            }),
            "generate: the model's prediction is not a finite number");
}

TEST(Generate, ContinuesThePromptAndEndsBeforeASeparator) {
  BigramModel<float> model = model_of_word("world");
  const GenerateOptions greedy{.temperature = 0};
  EXPECT_EQ(text_of(generate(model, byte_tokenizer()->encode("wo"), greedy)), "rld");
  EXPECT_EQ(text_of(generate(model, {}, greedy)), "world");
}

TEST(Generate, StopsAtTheNumberOfTokens) {
  BigramModel<float> model = model_of_word("world");
  EXPECT_EQ(text_of(generate(model, {}, {.tokens = 3, .temperature = 0})), "wor");
  EXPECT_TRUE(generate(model, {}, {.tokens = 0}).empty());
}

TEST(Generate, ThinksWithTheLastTokensOfTheContext) {
  BigramModel<float> model = model_of_word("abcdefg");
  const std::vector<GeneratedToken> tokens =
      generate(model, byte_tokenizer()->encode("a"), {.tokens = 5, .temperature = 0});
  // The model reports how many tokens it was shown as its last energy.
  EXPECT_EQ(tokens[0].energy, (std::vector<double>{2.0, 1.0, 1.0}));
  EXPECT_EQ(tokens[1].energy.back(), 2.0);
  EXPECT_EQ(tokens[2].energy.back(), 3.0);
  EXPECT_EQ(tokens[4].energy.back(), 3.0);
}

TEST(Generate, StreamsEveryTokenWithItsProbability) {
  BigramModel<float> model = model_of_word("hi");
  std::string streamed;
  const auto tokens = generate<float>(
      model, byte_tokenizer()->encode("h"), {.temperature = 0},
      [&](const GeneratedToken& token) { streamed += static_cast<char>(token.token); });
  EXPECT_EQ(streamed, "i");
  EXPECT_NEAR(tokens[0].probability, std::exp(9.0) / (std::exp(9.0) + 256), 1e-6);
}

TEST(Generate, RepeatsItselfForASeedAndVariesBetweenSeeds) {
  ModelConfig config;
  BigramModel<float> uniform(config);
  const auto with_seed = [&](uint64_t seed, int64_t tokens) {
    return text_of(generate(uniform, {}, {.tokens = tokens, .seed = seed}));
  };
  EXPECT_EQ(with_seed(1, 20), with_seed(1, 20));
  EXPECT_EQ(with_seed(1, 20).substr(0, 5), with_seed(1, 5));
  EXPECT_NE(with_seed(1, 20), with_seed(2, 20));
}

TEST(Generate, RefusesImpossibleOptions) {
  BigramModel<float> model = model_of_word("hi");
  const auto error_of = [&](const GenerateOptions& options) {
    return error_text([&] { generate(model, {}, options); });
  };
  EXPECT_EQ(error_of({.temperature = -1}), "--temperature: -1 is not a number from 0");
  EXPECT_EQ(error_of({.top_p = 0}), "--top-p: 0 is not in (0, 1]");
  EXPECT_EQ(error_of({.tokens = -2}), "--tokens: -2 is negative");
}

}  // namespace
}  // namespace ebt
