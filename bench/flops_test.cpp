#include "ebt/train/flops.h"

#include <gtest/gtest.h>

#include "bench/gemm_replay.h"
#include "ebt/train/text_task.h"
#include "tests/support/training_run.h"

namespace ebt {
namespace {

using testing::small_run;
using testing::TemporaryFolder;

// A run in one gradient pass a step, of sizes that nothing divides.
TextTrainConfig small_config(EbtType type = EbtType::kDefault) {
  TextTrainConfig config;
  config.model.type = type;
  config.model.layers = 3;
  config.model.width = 20;
  config.model.heads = 2;
  config.model.ffn_multiplier = 1.5;
  config.model.vocab_size = 33;
  config.model.context = 7;
  config.model.landscapes = 2;
  config.run.batch = 3;
  config.run.precision = "fp32";
  return config.resolved();
}

// The operations of the products that a training step makes.
double observed(const TextTrainConfig& config) {
  const auto model =
      make_text_model<float>(config.model, config.thinking, config.run.batch, config.model.context,
                             engine_options<float>(config.run));
  initialize_weights(*model, config.thinking, 0);
  const std::vector<int32_t> tokens(
      static_cast<size_t>(config.run.batch * config.model.context + 1), 1);
  const Shape shape{config.run.batch, config.model.context};
  TrainingRows<float> rows;
  rows.inputs = {tokens.data(), shape};
  rows.targets = {tokens.data() + 1, shape};
  rows.inverse_token_count = 1;
  return flops_of(products_of([&] { model->train(rows, 0, 0); }));
}

void expect_observed(const TextTrainConfig& config, const char* what) {
  EXPECT_EQ(training_step_flops(config).gemm(), observed(config)) << what;
}

TEST(TrainingFlops, AreThoseOfTheProductsThatAnS1StepMakes) {
  expect_observed(small_config(EbtType::kDefault), "default");
  expect_observed(small_config(EbtType::kTimeEmbed), "time_embed");
  expect_observed(small_config(EbtType::kAdaln), "adaln");
  expect_observed(small_config(EbtType::kAdalnZero), "adaln_zero");
  TextTrainConfig config = small_config(EbtType::kTimeEmbed);
  config.model.tied_vocabulary = true;
  config.model.normalize = false;
  expect_observed(config, "tied, not normalised");
  config.model.layers = 1;
  config.model.landscapes = 1;
  expect_observed(config, "one block, one landscape");
}

TEST(TrainingFlops, AreThoseOfTheProductsThatOtherWaysOfThinkingMake) {
  TextTrainConfig config = small_config();
  config.thinking.steps_min = config.thinking.steps_max = 3;
  expect_observed(config, "three steps a landscape");
  config.thinking.contrastive = 0.1;
  expect_observed(config, "contrastive");
  config.thinking.detach = false;
  expect_observed(config, "through all steps, contrastive");
  config.thinking.truncate = true;
  expect_observed(config, "truncated, learned step size");
  config.thinking.step_size_learnable = false;
  expect_observed(config, "truncated");
  config.thinking.contrastive = 0;
  config.model.landscapes = 1;
  config.thinking.langevin_noise = 1;
  config.thinking.step_size_spread = 2;
  expect_observed(config, "S2");
  config.thinking.detach = true;
  expect_observed(config, "truncated and detached");
}

TEST(TrainingFlops, CountWhatIsComputedAgain) {
  for (const EbtType type : {EbtType::kDefault, EbtType::kTimeEmbed}) {
    TextTrainConfig config = small_config(type);
    config.run.recompute = true;
    expect_observed(config, "recompute");
  }
}

TEST(TrainingFlops, AreThoseOfTheProductsOfTransformerPp) {
  TextTrainConfig config = small_config();
  config.model.arch = Architecture::kTransformerPp;
  expect_observed(config, "transformer_pp");
  config.run.recompute = true;
  expect_observed(config, "transformer_pp, recompute");
}

TEST(TrainingFlops, AreTheSameInBf16) {
  TextTrainConfig config = small_config(EbtType::kTimeEmbed);
  config.run.precision = "bf16";
  expect_observed(config, "bf16");
}

TEST(TrainingFlops, AreThoseExpectedOfADrawnNumberOfSteps) {
  for (const bool learnable : {false, true}) {
    TextTrainConfig config = small_config();
    config.model.landscapes = 1;
    config.thinking.detach = false;
    config.thinking.truncate = true;
    config.thinking.step_size_learnable = learnable;
    double mean = 0;
    for (const int64_t steps : {1, 2, 3}) {
      config.thinking.steps_min = config.thinking.steps_max = steps;
      mean += observed(config) / 3;
      expect_observed(config, "a fixed number of steps");
    }
    config.thinking.steps_min = 1;
    EXPECT_NEAR(training_step_flops(config).gemm(), mean, 1e-9 * mean);
  }
}

// A run of a real model, with nothing but training steps.
TextTrainConfig whole_run(const TemporaryFolder& folder) {
  TextTrainConfig config = small_run(folder, "run");
  config.model.layers = 2;
  config.model.width = 16;
  config.model.type = EbtType::kAdaln;
  config.data.validation = 0;
  config.run.steps = 4;
  config.run.micro_batch = 4;
  return config;
}
void expect_whole_run(const TextTrainConfig& config) {
  TextTrainer<float> trainer = TextTrainer<float>::start(config);
  const double made = flops_of(products_of([&] { trainer.run(); }));
  const double counted = training_flops(trainer.config(), 4).gemm();
  EXPECT_NEAR(made, counted, 1e-12 * counted);
}

TEST(TrainingFlops, AreThoseOfAWholeRunInMicroBatches) {
  const TemporaryFolder folder;
  expect_whole_run(whole_run(folder));
}

TEST(TrainingFlops, CountRowsOfTheReplayBufferFromTheSecondStepOn) {
  for (const int64_t replay_rows : {2, 50}) {  // less than half a batch, and more
    const TemporaryFolder folder;
    TextTrainConfig config = whole_run(folder);
    config.thinking.replay_rows = replay_rows;
    expect_whole_run(config);
  }
}

// In passes of the products of all blocks over all tokens: 2 B S L n.
struct Units {
  double context, prediction;
};
Units units_of(TextTrainConfig config) {
  config.model.layers = 1000;  // so that the last, which stops at its keys, hardly counts
  config.model.context = 5000;
  const TrainingFlops flops = training_step_flops(config);
  const double width = 20;
  const double unit = 2.0 * 3 * 5000 * 1000 * (4 * width * width + 3 * width * 30);
  return {flops.context / unit, flops.prediction / unit};
}

TEST(TrainingFlops, AreTheUnitsOfTheCostModel) {
  // S1 with a landscape for each of two steps: 3 K + 6 K.
  const Units many = units_of(small_config(EbtType::kTimeEmbed));
  EXPECT_NEAR(many.context, 6, 0.01);
  EXPECT_DOUBLE_EQ(many.prediction, 12);
  // S1 with one landscape: 3 + 6 K.
  const Units one = units_of(small_config(EbtType::kDefault));
  EXPECT_NEAR(one.context, 3, 0.005);
  EXPECT_DOUBLE_EQ(one.prediction, 12);
  // S2: 3 + 2 (K - 1) + 6.
  TextTrainConfig config = small_config(EbtType::kDefault);
  config.thinking.detach = false;
  config.thinking.truncate = true;
  config.thinking.step_size_learnable = false;
  const Units truncated = units_of(config);
  EXPECT_NEAR(truncated.context, 3, 0.005);
  EXPECT_DOUBLE_EQ(truncated.prediction, 8);
  // The baseline: 3.
  config.model.arch = Architecture::kTransformerPp;
  const Units baseline = units_of(config);
  EXPECT_DOUBLE_EQ(baseline.context, 3);
  EXPECT_EQ(baseline.prediction, 0);
}

// Pairs of a query and a key of the context that it sees, one by one.
double pairs(int64_t queries, int64_t lead) {
  double count = 0;
  for (int64_t query = 0; query < queries; ++query) {
    for (int64_t key = 0; key < queries + lead; ++key) {
      count += key <= query + lead ? 1 : 0;
    }
  }
  return count;
}

TEST(TrainingFlops, CountAttentionPairByPair) {
  // Rows, multiplication and addition, width.
  constexpr double kPair = 3 * 2 * 20;
  TextTrainConfig config = small_config(EbtType::kTimeEmbed);
  // Two contexts of two whole blocks, forward 2 and back 5 products, over 8 tokens; three blocks of
  // predictions, each of two steps with 2 forward, 3 for the inner gradient, 3 for tangents and 9
  // for the second order, and of its own key 2, 5, 5 and 12.
  EXPECT_EQ(training_step_flops(config).attention,
            kPair * (2 * 2 * 7 * pairs(8, 0) + 3 * 2 * (17 * pairs(7, 1) + 24 * 7)));
  config.model.type = EbtType::kDefault;
  config.run.recompute = true;
  EXPECT_EQ(training_step_flops(config).attention,
            kPair * (2 * 9 * pairs(7, 0) + 3 * 2 * (17 * pairs(7, 0) + 24 * 7)));
  config.model.arch = Architecture::kTransformerPp;
  EXPECT_EQ(training_step_flops(config).attention, kPair * 3 * 9 * pairs(7, 0));
  // One swept step of four, and the truth: forward 2 and back 5.
  config = small_config(EbtType::kDefault);
  config.thinking.steps_min = config.thinking.steps_max = 2;
  config.thinking.truncate = true;
  config.thinking.contrastive = 1;
  EXPECT_EQ(
      training_step_flops(config).attention,
      kPair * (2 * 7 * pairs(7, 0) + 3 * ((4 * 5 + 12 + 7) * pairs(7, 0) + (4 * 7 + 17 + 7) * 7)));
}

TEST(TrainingFlops, AreTheHandCountOfATinyStep) {
  // One row of two tokens, one block of width 2 with F = 2, three tokens in the vocabulary, one
  // step in one landscape. A block has 4 * 4 + 3 * 4 = 28 weights.
  TextTrainConfig config;
  config.model.type = EbtType::kDefault;
  config.model.layers = 1;
  config.model.width = 2;
  config.model.heads = 1;
  config.model.vocab_size = 3;
  config.model.context = 2;
  config.model.landscapes = 1;
  config.run.batch = 1;
  const TrainingFlops flops = training_step_flops(config);
  EXPECT_EQ(flops.context, 3 * 2 * 2 * 8);      // keys and values: 8 weights, two tokens
  EXPECT_EQ(flops.prediction, 6 * 2 * 2 * 28);  // six products of all weights
  EXPECT_EQ(flops.vocabulary, 5 * 2 * 2 * 6);   // p W, u W^T, v W and two outer products
  EXPECT_EQ(flops.other, 3 * 2 * 2 * 2);        // the head: 2 for the step, 1 for the sweep
  EXPECT_EQ(flops.attention, 2 * 2 * (17 * 3 + 24 * 2));  // three pairs, two own keys
  EXPECT_EQ(flops.total(), 96 + 672 + 120 + 24 + 396);
}

}  // namespace
}  // namespace ebt
