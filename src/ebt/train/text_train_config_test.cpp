#include "ebt/train/text_train_config.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "tests/support/error_text.h"

namespace ebt {
namespace {

using testing::error_text;

TEST(DefaultLearningRate, IsThePublishedOneOfANamedSize) {
  TextModelConfig model;
  for (const ModelSize& size : model_sizes()) {
    model.layers = size.layers;
    model.width = size.width;
    model.heads = size.heads;
    EXPECT_EQ(default_learning_rate(model), size.learning_rate) << size.name;
  }
}

TEST(DefaultLearningRate, LiesBetweenThoseOfTheNeighbouringWidths) {
  TextModelConfig model;
  model.layers = 3;
  // Halfway between 128 and 256 on a logarithmic scale.
  model.width = 181;
  EXPECT_NEAR(default_learning_rate(model), std::sqrt(2.4e-3 * 1.8e-3), 3e-6);
  model.width = 512;
  EXPECT_LT(default_learning_rate(model), 9e-4);
  EXPECT_GT(default_learning_rate(model), 6e-4);
}

TEST(DefaultLearningRate, IsThatOfTheOutermostSizeBeyondIt) {
  TextModelConfig model;
  model.width = 32;
  EXPECT_EQ(default_learning_rate(model), 2.4e-3);
  model.width = 4096;
  EXPECT_EQ(default_learning_rate(model), 2e-4);
}

TEST(TextTrainConfig, WritesOutItsDefaults) {
  TextTrainConfig config;
  config.run.steps = 400;
  config.run.batch = 12;
  config.data.data = "book.txt";
  const TextTrainConfig resolved = config.resolved();
  EXPECT_EQ(resolved.optimizer.learning_rate, 2.4e-3);
  EXPECT_EQ(resolved.optimizer.warmup_steps, 40);
  EXPECT_EQ(resolved.run.micro_batch, 12);
  EXPECT_EQ(resolved.data.data, (std::filesystem::current_path() / "book.txt").string());
  config.run.steps = 50000;
  EXPECT_EQ(config.resolved().optimizer.warmup_steps, 1000);
}

TEST(TextTrainConfig, KeepsWhatIsGiven) {
  TextTrainConfig config;
  config.optimizer.learning_rate = 0.1;
  config.optimizer.warmup_steps = 0;
  config.run.micro_batch = 3;
  const TextTrainConfig resolved = config.resolved();
  EXPECT_EQ(resolved.optimizer.learning_rate, 0.1);
  EXPECT_EQ(resolved.optimizer.warmup_steps, 0);
  EXPECT_EQ(resolved.run.micro_batch, 3);
  EXPECT_EQ(resolved.data.data, "");
}

TEST(TextTrainConfig, RefusesImpossibleFieldsByName) {
  const auto error_of = [](const auto& change) {
    TextTrainConfig config;
    change(config);
    return error_text([&] { config.check(); });
  };
  EXPECT_EQ(error_of([](TextTrainConfig&) {}), "no error");
  EXPECT_EQ(error_of([](TextTrainConfig& c) { c.run.steps = 0; }),
            "--steps: 0 is not between 1 and 1000000000000");
  EXPECT_EQ(error_of([](TextTrainConfig& c) { c.run.batch = -4; }),
            "--batch: -4 is not between 1 and 1000000");
  EXPECT_EQ(error_of([](TextTrainConfig& c) {
              c.run.batch = 1'000'000;
              c.model.context = 10'000;
            }),
            "--batch: 1000000 rows of 10000 tokens are more than 1073741824 tokens in one step");
  EXPECT_EQ(error_of([](TextTrainConfig& c) { c.run.precision = "fp8"; }),
            "--precision: \"fp8\" is not one of auto, fp32, bf16");
  EXPECT_EQ(error_of([](TextTrainConfig& c) { c.run.out = ""; }),
            "--out: the name of the folder is empty");
  EXPECT_EQ(error_of([](TextTrainConfig& c) { c.data.validation = 1; }),
            "--validation: 1 is not in [0, 1)");
  EXPECT_EQ(error_of([](TextTrainConfig& c) { c.optimizer.beta2 = 1; }),
            "--beta2: 1 is not in [0, 1)");
  EXPECT_EQ(error_of([](TextTrainConfig& c) {
              c.optimizer.learning_rate = std::numeric_limits<double>::quiet_NaN();
            }),
            "--learning-rate: nan is not a number from 0");
  EXPECT_EQ(error_of([](TextTrainConfig& c) { c.optimizer.warmup_steps = -2; }),
            "--warmup-steps: -2 is not between -1 and 1000000000000");
}

}  // namespace
}  // namespace ebt
