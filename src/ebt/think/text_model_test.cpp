#include "ebt/model/text_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

namespace ebt {
namespace {

TextModelConfig small_model(EbtType type) {
  TextModelConfig model;
  model.type = type;
  model.layers = 2;
  model.width = 8;
  model.heads = 2;
  model.ffn_multiplier = 1.5;
  model.vocab_size = 11;
  model.context = 5;
  model.landscapes = 2;
  return model;
}

TextThinkingConfig all_steps(double step_size) {
  TextThinkingConfig thinking;
  thinking.step_size = step_size;
  thinking.detach = false;
  return thinking;
}

// Two rows of five tokens, two positions without a target.
struct Tokens {
  std::vector<int32_t> inputs = {1, 4, 2, 9, 10, 3, 3, 0, 7, 5};
  std::vector<int32_t> targets = {4, 2, 9, 10, -1, 3, 0, 7, 5, -1};

  TrainingRows<double> rows() const {
    TrainingRows<double> rows;
    rows.inputs = {inputs.data(), {2, 5}};
    rows.targets = {targets.data(), {2, 5}};
    rows.inverse_token_count = 1.0 / 8.0;
    return rows;
  }
};

std::unique_ptr<TextModel<double>> made(const TextModelConfig& model,
                                        const TextThinkingConfig& thinking,
                                        const EngineOptions& options = {}) {
  auto result = make_text_model<double>(model, thinking, 2, model.context, options);
  initialize_weights(*result, thinking, 5);
  // Every tensor away from its special values: zeros of adaLN-zero, ones of the norms.
  const Tensor<double> all = result->edit_weights().all();
  std::vector<double> noise(static_cast<size_t>(all.count()));
  RandomStream{6, RandomPurpose::kSampling, 0}.normal(0, Tensor<double>{noise.data(), all.shape},
                                                      0.05);
  for (int64_t i = 0; i < all.count(); ++i) {
    all[i] += noise[static_cast<size_t>(i)];
  }
  return result;
}

// The training objective per token, a function of the weights alone: draws follow from the seed.
double objective(TextModel<double>& model, const Tokens& tokens) {
  return model.train(tokens.rows(), 3, 9).objective / 8.0;
}

// d objective along `direction`, by central differences.
double difference_quotient(TextModel<double>& model, const Tokens& tokens,
                           const std::vector<double>& direction, double width) {
  const Tensor<double> all = model.edit_weights().all();
  const std::vector<double> weights(all.begin(), all.end());
  double ends[2];
  for (const int side : {0, 1}) {
    for (size_t i = 0; i < weights.size(); ++i) {
      all[static_cast<int64_t>(i)] = weights[i] + (side == 0 ? -width : width) * direction[i];
    }
    ends[side] = objective(model, tokens);
  }
  std::copy(weights.begin(), weights.end(), all.begin());
  return (ends[1] - ends[0]) / (2 * width);
}

void expect_gradient(const TextModelConfig& model_config, const TextThinkingConfig& thinking,
                     const char* name) {
  const Tokens tokens;
  const auto model = made(model_config, thinking);
  objective(*model, tokens);
  const std::vector<double> gradient(model->gradients().all().begin(),
                                     model->gradients().all().end());
  std::vector<double> direction(gradient.size());
  RandomStream{7, RandomPurpose::kSampling, 0}.normal(
      0, Tensor<double>{direction.data(), {static_cast<int64_t>(direction.size())}}, 1.0);
  double expected = 0;
  for (size_t i = 0; i < gradient.size(); ++i) {
    expected += gradient[i] * direction[i];
  }
  const double measured = difference_quotient(*model, tokens, direction, 1e-6);
  EXPECT_NEAR(measured, expected, 1e-5 * (std::abs(expected) + 0.01)) << name;
}

TEST(TrainingGradient, IsTheSlopeOfTheObjectiveForEveryTypeOfModel) {
  expect_gradient(small_model(EbtType::kDefault), all_steps(0.7), "default");
  expect_gradient(small_model(EbtType::kTimeEmbed), all_steps(0.7), "time_embed");
  expect_gradient(small_model(EbtType::kAdaln), all_steps(0.7), "adaln");
  expect_gradient(small_model(EbtType::kAdalnZero), all_steps(0.7), "adaln_zero");
}

TEST(TrainingGradient, IsTheSlopeOfTheObjectiveUnderEveryOption) {
  TextModelConfig model = small_model(EbtType::kTimeEmbed);
  TextThinkingConfig thinking = all_steps(0.7);
  thinking.steps_min = thinking.steps_max = 2;
  thinking.step_size_spread = 2;
  thinking.langevin_noise = 0.5;
  thinking.soften_targets = 0.2;
  thinking.contrastive = 0.3;
  expect_gradient(model, thinking, "noise, spread, smoothing, contrast, two steps a landscape");
  model.tied_vocabulary = true;
  model.type = EbtType::kAdaln;
  expect_gradient(model, thinking, "the same, tied, adaln");
  model.normalize = false;
  thinking.initial = InitialPrediction::kZeros;
  expect_gradient(model, thinking, "the same, not normalised, from zeros");
}

TEST(TrainingGradient, OfTheStepSizeLeavesOutClampedEntriesWhenTruncated) {
  // With two steps the truncated gradient of alpha is the true one: what counts as constant in the
  // first step, its energy gradient, does not depend on alpha.
  TextThinkingConfig thinking = all_steps(0.7);
  thinking.truncate = true;
  for (const double clamp : {0.0, 0.2, 0.05}) {
    thinking.clamp_gradient = clamp;
    const Tokens tokens;
    const auto model = made(small_model(EbtType::kTimeEmbed), thinking);
    objective(*model, tokens);
    const double expected = model->gradients().tensor("alpha")[0];
    std::vector<double> direction(static_cast<size_t>(model->layout().count()), 0.0);
    direction[static_cast<size_t>(model->layout().entry("alpha").offset)] = 1.0;
    EXPECT_NEAR(difference_quotient(*model, tokens, direction, 1e-6), expected,
                1e-5 * (std::abs(expected) + 0.01))
        << "clamp " << clamp;
  }
}

TEST(TrainingGradient, OfDetachedStepsIsTheSameWithoutAClampThatBites) {
  TextThinkingConfig free;
  free.step_size = 0.7;
  TextThinkingConfig clamped = free;
  clamped.clamp_gradient = 1e6;
  const Tokens tokens;
  const auto a = made(small_model(EbtType::kDefault), free);
  const auto b = made(small_model(EbtType::kDefault), clamped);
  EXPECT_DOUBLE_EQ(objective(*a, tokens), objective(*b, tokens));
  for (int64_t i = 0; i < a->layout().count(); ++i) {
    ASSERT_DOUBLE_EQ(a->gradients().all()[i], b->gradients().all()[i]) << i;
  }
}

TEST(TextModel, StartsThinkingNearTheUniformDistributionForAnyVocabulary) {
  for (const int64_t vocab : {257, 50277}) {
    TextModelConfig model;
    model.vocab_size = vocab;
    model.norm_eps = 0.5;
    model.context = 8;
    const TextThinkingConfig thinking;
    const auto made_model = make_text_model<float>(model, thinking, 1, 8, {.training = false});
    initialize_weights(*made_model, thinking, 1);
    const std::vector<int32_t> inputs = {5, 99, 3, 250, 17, 42, 8, 120};
    const std::vector<int32_t> targets = {99, 3, 250, 17, 42, 8, 120, 7};
    const LossSums sums =
        made_model->evaluate({inputs.data(), {1, 8}}, {targets.data(), {1, 8}}, {});
    for (const double loss : sums.losses) {
      const double uniform = std::log(static_cast<double>(vocab));
      EXPECT_GT(loss / 8, uniform - 1.5) << vocab;
      EXPECT_LT(loss / 8, uniform + 1.5) << vocab;
    }
  }
}

// What one training step adds to the gradients, and its losses.
std::vector<double> training_step(const TextThinkingConfig& thinking,
                                  const EngineOptions& options) {
  TextModelConfig model = small_model(EbtType::kTimeEmbed);
  const auto trained = made(model, thinking, options);
  const LossSums sums = trained->train(Tokens().rows(), 3, 9);
  std::vector<double> result(trained->gradients().all().begin(), trained->gradients().all().end());
  result.insert(result.end(), sums.losses.begin(), sums.losses.end());
  result.insert(result.end(), sums.energies.begin(), sums.energies.end());
  result.push_back(sums.objective);
  return result;
}

// Steps that are learned one by one, and through all of them with every draw that belongs to
// positions.
std::vector<TextThinkingConfig> detached_and_noisy() {
  TextThinkingConfig detached;
  detached.step_size = 0.7;
  TextThinkingConfig noisy = all_steps(0.7);
  noisy.steps_min = noisy.steps_max = 2;
  noisy.langevin_noise = 0.5;
  noisy.step_size_spread = 2;
  noisy.contrastive = 0.3;
  return {detached, noisy};
}

TEST(TextModel, LearnsTheSameInChunksOfAnySize) {
  for (const TextThinkingConfig& thinking : detached_and_noisy()) {
    const std::vector<double> whole = training_step(thinking, {.chunk_positions = 100});
    for (const int64_t positions : {1, 2, 3, 5, 7}) {
      const std::vector<double> cut = training_step(thinking, {.chunk_positions = positions});
      ASSERT_EQ(cut.size(), whole.size());
      for (size_t i = 0; i < whole.size(); ++i) {
        ASSERT_NEAR(cut[i], whole[i], 1e-11 * (1 + std::abs(whole[i]))) << positions;
      }
    }
  }
}

// What a training step on some of the targets, the others ignored, adds to the gradients.
std::vector<double> gradient_of(const TextThinkingConfig& thinking, const EngineOptions& options,
                                const std::vector<int32_t>& targets) {
  const auto trained = made(small_model(EbtType::kTimeEmbed), thinking, options);
  const Tokens tokens;
  TrainingRows<double> rows = tokens.rows();
  rows.targets = {targets.data(), {2, 5}};
  trained->train(rows, 3, 9);
  return {trained->gradients().all().begin(), trained->gradients().all().end()};
}

// Positions before the first target and behind the last are not thought about; that of other
// targets is what decides where these are.
TEST(TextModel, LearnsATargetTheSameWhateverOthersThereAre) {
  for (const TextThinkingConfig& thinking : detached_and_noisy()) {
    for (const int64_t positions : {2, 3, 4, 100}) {
      const EngineOptions options = {.chunk_positions = positions};
      const auto gradient = [&](const std::vector<int32_t>& targets) {
        return gradient_of(thinking, options, targets);
      };
      const std::vector<double> all = gradient({4, 2, 9, 10, 3, 3, 0, 7, 5, 1});
      const std::vector<double> inner = gradient({-1, -1, 9, 10, -1, -1, 0, -1, -1, -1});
      const std::vector<double> outer = gradient({4, 2, -1, -1, 3, 3, -1, 7, 5, 1});
      for (size_t i = 0; i < all.size(); ++i) {
        ASSERT_NEAR(inner[i] + outer[i], all[i], 1e-11 * (1 + std::abs(all[i]))) << positions;
      }
    }
    for (const double value : gradient_of(thinking, {}, std::vector<int32_t>(10, -1))) {
      ASSERT_EQ(value, 0);
    }
  }
}

TEST(TextModel, KeepsNoLogitsOfPositionsWithoutTarget) {
  TextThinkingConfig thinking;
  thinking.step_size = 0.7;
  const TextModelConfig config = small_model(EbtType::kTimeEmbed);
  const auto trained = made(config, thinking);
  const Tokens tokens;
  const std::vector<int32_t> targets = {-1, -1, 9, 10, -1, -1, 0, -1, -1, -1};
  std::vector<double> logits(static_cast<size_t>(10 * config.vocab_size), 7.0);
  TrainingRows<double> rows = tokens.rows();
  rows.targets = {targets.data(), {2, 5}};
  rows.final_logits = {logits.data(), {2, 5, config.vocab_size}};
  trained->train(rows, 3, 9);
  for (int64_t position = 0; position < 10; ++position) {
    const auto begin = logits.begin() + position * config.vocab_size;
    const bool kept =
        std::any_of(begin, begin + config.vocab_size, [](double logit) { return logit != 0; });
    EXPECT_EQ(kept, position % 5 >= 1 && position % 5 < 4) << position;
  }
}

TEST(TextModel, LearnsTheSameBitForBitWhenTheContextIsRecomputed) {
  TextThinkingConfig thinking;
  thinking.step_size = 0.7;
  EXPECT_EQ(training_step(thinking, {.recompute = true}), training_step(thinking, {}));
}

TEST(TextModel, RecomputationTakesLessMemory) {
  TextModelConfig model;
  model.layers = 6;
  const auto bytes = [&](Precision precision, bool recompute) {
    return model_bytes<float>(model, {}, 8, 256, {.precision = precision, .recompute = recompute});
  };
  EXPECT_LT(bytes(Precision::kFp32, true), bytes(Precision::kFp32, false));
  EXPECT_LT(bytes(Precision::kBf16, true), bytes(Precision::kBf16, false));
  EXPECT_LT(bytes(Precision::kBf16, false), bytes(Precision::kFp32, false));
}

TEST(TextModel, ChangedWeightsReachBf16Products) {
  TextModelConfig model;
  model.vocab_size = 11;
  model.width = 16;
  model.context = 8;
  const TextThinkingConfig thinking;
  for (const Architecture arch : {Architecture::kEbt, Architecture::kTransformerPp}) {
    model.arch = arch;
    const auto made_model =
        make_text_model<float>(model, thinking, 1, 8, {.precision = Precision::kBf16});
    initialize_weights(*made_model, thinking, 1);
    const std::vector<int32_t> inputs = {5, 9, 3, 2, 1, 4, 8, 0};
    const auto loss = [&] {
      return made_model->evaluate({inputs.data(), {1, 8}}, {inputs.data(), {1, 8}}, {}).objective;
    };
    const double before = loss();
    EXPECT_EQ(loss(), before);
    for (float& weight :
         made_model->edit_weights().tensor("transformer.layers.0.attention.wo.weight")) {
      weight *= 3.0F;
    }
    EXPECT_NE(loss(), before);
  }
}

TEST(TextModel, EvaluatesARowTheSameInAnyBatch) {
  const TextThinkingConfig thinking;
  const auto model = made(small_model(EbtType::kTimeEmbed), thinking);
  const Tokens tokens;
  const TrainingRows<double> rows = tokens.rows();
  const LossSums together = model->evaluate(rows.inputs, rows.targets, {});
  LossSums apart;
  for (const int64_t row : {0, 1}) {
    PassOptions options;
    options.first_row = row;
    apart.add(model->evaluate(rows.inputs.slice(row, 1), rows.targets.slice(row, 1), options));
  }
  ASSERT_EQ(apart.count, together.count);
  for (size_t i = 0; i < together.losses.size(); ++i) {
    EXPECT_NEAR(apart.losses[i], together.losses[i], 1e-12);
    EXPECT_NEAR(apart.energies[i], together.energies[i], 1e-12);
  }
}

}  // namespace
}  // namespace ebt
