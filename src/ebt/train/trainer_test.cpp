#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <stdexcept>
#include <string>

#include "ebt/data/text/prepared_data.h"
#include "ebt/model/model_folder.h"
#include "ebt/train/run_config.h"
#include "ebt/train/text_task.h"
#include "tests/support/error_text.h"
#include "tests/support/small_tokenizer.h"
#include "tests/support/training_run.h"

namespace ebt {
namespace {

using testing::bigram_factory;
using testing::BigramModel;
using testing::error_text;
using testing::metrics_without_clock;
using testing::small_run;
using testing::TemporaryFolder;
using testing::weights_of;

// The gradient of alpha is zero as long as the table is.
void make_alpha_matter(TextTrainer<float>& trainer) {
  const Tensor<float> table = trainer.model().edit_weights().tensor("table");
  for (int64_t token = 0; token < table.dim(0); ++token) {
    table[token * table.dim(1)] = 1.0F;
  }
}

TEST(Trainer, LearnsTheText) {
  const TemporaryFolder folder;
  TextTrainConfig config = small_run(folder, "run");
  config.run.steps = 60;
  TextTrainer<float> trainer = TextTrainer<float>::start(config, bigram_factory());
  std::vector<TextStepReport> steps;
  std::vector<TextValidationReport> validations;
  trainer.run({[&](const TextStepReport& report) { steps.push_back(report); },
               [&](const TextValidationReport& report) { validations.push_back(report); }});
  ASSERT_EQ(steps.size(), 60U);
  EXPECT_GT(steps.front().loss, 5.0);
  EXPECT_LT(steps.back().loss, steps.front().loss - 1.0);
  EXPECT_EQ(steps.back().step, 60);
  EXPECT_EQ(steps.back().seconds_left, 0.0);
  EXPECT_EQ(steps.back().measured.count, config.run.batch * config.model.context);
  // The text has no separators, and the model's energies are its losses plus 1.
  EXPECT_DOUBLE_EQ(steps.back().measured.nats_per_byte(), steps.back().measured.mean_losses()[1]);
  EXPECT_NEAR(steps.back().measured.energy_gap(),
              steps.back().measured.mean_losses()[0] - steps.back().measured.mean_losses()[1],
              1e-9);
  ASSERT_EQ(validations.size(), 6U);
  EXPECT_EQ(validations.back().step, 60);
  EXPECT_LT(validations.back().measured.loss(), validations.front().measured.loss());
}

TEST(Trainer, WritesOutWhatItResolved) {
  const TemporaryFolder folder;
  TextTrainConfig config = small_run(folder, "run");
  config.model.vocab_size = 3;
  config.optimizer.learning_rate = 0;
  const TextTrainer<float> trainer = TextTrainer<float>::start(config, bigram_factory());
  const TextTrainConfig stored = load_config<TextTrainConfig>(folder.path() / "run");
  EXPECT_EQ(stored.model.vocab_size, 257);
  EXPECT_EQ(stored.optimizer.learning_rate, 2.4e-3);
  EXPECT_EQ(stored.optimizer.warmup_steps, 2);
  EXPECT_EQ(stored.thinking.step_size, 0.5);
  EXPECT_EQ(stored.thinking.step_size_lr, 1.5);
}

TEST(Trainer, GivesTheStepSizeItsOwnLearningRateAndFreezesItOnRequest) {
  const TemporaryFolder folder;
  TextTrainConfig config = small_run(folder, "fast");
  config.run.steps = 1;
  config.optimizer.warmup_steps = 0;
  config.thinking.step_size_lr = 4;
  TextTrainer<float> fast = TextTrainer<float>::start(config, bigram_factory());
  make_alpha_matter(fast);
  fast.run();
  // AdamW's first step is the learning rate itself.
  EXPECT_NEAR(std::abs(fast.model().weights().tensor("alpha")[0] - 0.5F),
              4 * config.optimizer.learning_rate, 1e-4);

  config.run.out = folder.file("frozen");
  config.thinking.step_size_learnable = false;
  TextTrainer<float> frozen = TextTrainer<float>::start(config, bigram_factory());
  make_alpha_matter(frozen);
  frozen.run();
  EXPECT_EQ(frozen.model().weights().tensor("alpha")[0], 0.5F);
}

TEST(Trainer, AccumulatesMicroBatchesToTheWholeBatch) {
  const TemporaryFolder folder;
  TextTrainConfig config = small_run(folder, "whole");
  config.thinking.replay_rows = 16;
  TextTrainer<double> whole = TextTrainer<double>::start(config, bigram_factory<double>());
  whole.run();
  config.run.out = folder.file("parts");
  config.run.micro_batch = 4;  // leaves a last part of 2 of 6 fresh rows, and 3 replayed rows
  TextTrainer<double> parts = TextTrainer<double>::start(config, bigram_factory<double>());
  parts.run();
  EXPECT_EQ(dynamic_cast<BigramModel<double>&>(whole.model()).most_rows, 6);
  EXPECT_EQ(dynamic_cast<BigramModel<double>&>(parts.model()).most_rows, 4);
  const std::vector<double> of_whole = weights_of(whole);
  const std::vector<double> of_parts = weights_of(parts);
  for (size_t i = 0; i < of_whole.size(); ++i) {
    ASSERT_NEAR(of_whole[i], of_parts[i], 1e-9);
  }
}

TEST(Trainer, GivesTheSameMetricsAndWeightsForAnyNumberOfThreads) {
  const TemporaryFolder folder;
  TextTrainConfig config = small_run(folder, "one");
  config.run.threads = 1;
  TextTrainer<float> one = TextTrainer<float>::start(config, bigram_factory());
  one.run();
  config.run.out = folder.file("three");
  config.run.threads = 3;
  TextTrainer<float> three = TextTrainer<float>::start(config, bigram_factory());
  EXPECT_EQ(omp_get_max_threads(), 3);
  three.run();
  EXPECT_EQ(weights_of(one), weights_of(three));
  EXPECT_EQ(metrics_without_clock(folder.path() / "one"),
            metrics_without_clock(folder.path() / "three"));
}

TEST(Trainer, JoinsHalfABatchOfReplayedRowsAfterTheFirstStep) {
  const TemporaryFolder folder;
  TextTrainConfig config = small_run(folder, "run");
  config.thinking.replay_rows = 16;
  TextTrainer<float> trainer = TextTrainer<float>::start(config, bigram_factory());
  trainer.run();
  EXPECT_EQ(dynamic_cast<BigramModel<float>&>(trainer.model()).replayed_rows,
            (config.run.steps - 1) * config.run.batch / 2);
}

TEST(Trainer, SkipsAndCountsStepsThatAreNotFinite) {
  const TemporaryFolder folder;
  const TextTrainConfig config = small_run(folder, "run");
  TextTrainer<float> trainer = TextTrainer<float>::start(config, bigram_factory());
  auto& model = dynamic_cast<BigramModel<float>&>(trainer.model());
  model.steps_of_bad_loss = {4};
  model.steps_of_bad_gradient = {5};
  std::vector<std::vector<float>> weights;
  std::vector<bool> skipped;
  trainer.run({.on_step = [&](const TextStepReport& report) {
    weights.push_back(weights_of(trainer));
    skipped.push_back(report.skipped);
  }});
  EXPECT_EQ(weights[4], weights[3]);
  EXPECT_EQ(weights[5], weights[3]);
  EXPECT_NE(weights[6], weights[3]);
  EXPECT_EQ(std::count(skipped.begin(), skipped.end(), true), 2);
  EXPECT_EQ(trainer.progress().skipped_steps, 2);
  EXPECT_EQ(trainer.progress().update_count, config.run.steps - 2);
}

TEST(Trainer, StopsAfterBadStepsInARowAndKeepsTheLastGoodCheckpoint) {
  const TemporaryFolder folder;
  TextTrainConfig config = small_run(folder, "run");
  config.run.checkpoint_every = 2;
  config.run.max_bad_steps = 3;
  TextTrainer<float> trainer = TextTrainer<float>::start(config, bigram_factory());
  auto& model = dynamic_cast<BigramModel<float>&>(trainer.model());
  model.steps_of_bad_loss = {3, 6, 7, 8};
  const std::string text = error_text([&] { trainer.run(); });
  EXPECT_EQ(text.find("training stopped at step 9 because loss or gradient were not finite 3 steps "
                      "in a row; probably the step size alpha ("),
            0U)
      << text;
  EXPECT_NE(text.find("is too large, or the learning rate (0.02) too high"), std::string::npos)
      << text;
  const TextTrainer<float> resumed =
      TextTrainer<float>::resume(folder.path() / "run", {}, bigram_factory());
  EXPECT_EQ(resumed.progress().step, 6);
  EXPECT_EQ(resumed.progress().bad_steps, 0);
}

TEST(Trainer, FailsWhereItEndsInWeightsThatAreNoGood) {
  const TemporaryFolder folder;
  const auto error_of = [&](const char* name, double validation, auto spoil) {
    TextTrainConfig config = small_run(folder, name);
    config.data.validation = validation;
    config.run.checkpoint_every = 10;
    config.run.max_bad_steps = 100;
    TextTrainer<float> trainer = TextTrainer<float>::start(config, bigram_factory());
    auto& model = dynamic_cast<BigramModel<float>&>(trainer.model());
    const auto last = static_cast<uint64_t>(config.run.steps - 1);
    std::string text = error_text([&] {
      trainer.run({.on_step = [&](const TextStepReport& report) {
        if (report.step == config.run.steps - 5) {
          spoil(model, last);
        }
      }});
    });
    EXPECT_EQ(TextTrainer<float>::resume(config.run.out, {}, bigram_factory()).progress().step,
              text == "no error" ? config.run.steps : config.run.steps - 10);
    return text.substr(0, text.find("; probably"));
  };
  const auto spoil_loss = [](BigramModel<float>& model, uint64_t last) {
    model.steps_of_bad_loss = {last - 1, last};
  };
  // The validation proves the weights good.
  EXPECT_EQ(error_of("validated", 0.1, spoil_loss), "no error");
  EXPECT_EQ(
      error_of("unknown", 0, spoil_loss),
      "training stopped at step 20 because loss or gradient were not finite 2 steps in a row");
  const auto spoil_weights = [](BigramModel<float>& model, uint64_t /*last*/) {
    const Tensor<float> weights = model.edit_weights().all();
    std::fill(weights.begin(), weights.end(), std::numeric_limits<float>::quiet_NaN());
  };
  EXPECT_EQ(
      error_of("spoiled", 0.1, spoil_weights),
      "training stopped at step 20 because loss or gradient were not finite 5 steps in a row");
}

TEST(Trainer, SavesAndEndsWhenAskedToStop) {
  const TemporaryFolder folder;
  const TextTrainConfig config = small_run(folder, "run");
  TextTrainer<float> trainer = TextTrainer<float>::start(config, bigram_factory());
  int64_t steps = 0;
  trainer.run({.on_step = [&](const TextStepReport& report) { steps = report.step; },
               .stop_requested = [&] { return steps == 13; }});
  EXPECT_EQ(steps, 13);
  TextTrainer<float> resumed =
      TextTrainer<float>::resume(folder.path() / "run", {}, bigram_factory());
  EXPECT_EQ(resumed.progress().step, 13);
  EXPECT_EQ(weights_of(resumed), weights_of(trainer));
}

TEST(Trainer, RefusesToOverwriteAModel) {
  const TemporaryFolder folder;
  const TextTrainConfig config = small_run(folder, "run");
  const TextTrainer<float> first = TextTrainer<float>::start(config, bigram_factory());
  EXPECT_EQ(error_text([&] { TextTrainer<float>::start(config, bigram_factory()); }),
            "'" + config.run.out +
                "' holds a model already: resume it, or choose another folder "
                "with --out");
}

TEST(Trainer, LearnsTheSameFromPreparedDataAsFromTheText) {
  const TemporaryFolder folder;
  TextTrainConfig config = small_run(folder, "from text");
  config.data.tokenizer = folder.write("t.json", testing::small_tokenizer().dump());
  TextTrainer<float> from_text = TextTrainer<float>::start(config, bigram_factory());
  from_text.run();
  EXPECT_EQ(from_text.config().model.vocab_size, 263);

  prepare_data({config.data.data}, config.data.tokenizer, folder.file("prepared"));
  config.data.data = folder.file("prepared");
  config.data.tokenizer.clear();
  config.run.out = folder.file("from tokens");
  TextTrainer<float> from_tokens = TextTrainer<float>::start(config, bigram_factory());
  from_tokens.run();
  EXPECT_EQ(from_tokens.config().data.tokenizer, "tokenizer.json");
  EXPECT_EQ(weights_of(from_tokens), weights_of(from_text));
  EXPECT_EQ(metrics_without_clock(config.run.out), metrics_without_clock(folder.file("from text")));

  // The model folder has a tokenizer of its own, with which the run goes on.
  std::filesystem::remove(folder.file("t.json"));
  EXPECT_EQ(load_tokenizer(folder.file("from text"))->vocabulary_size(), 263);
  EXPECT_EQ(weights_of(*std::make_unique<TextTrainer<float>>(
                TextTrainer<float>::resume(folder.file("from text"), {}, bigram_factory()))),
            weights_of(from_text));

  config.data.tokenizer = kByteTokenizer;
  config.run.out = folder.file("another");
  const std::string error =
      error_text([&] { TextTrainer<float>::start(config, bigram_factory()); });
  EXPECT_NE(error.find("was prepared with another tokenizer"), std::string::npos) << error;
  EXPECT_FALSE(std::filesystem::exists(config.run.out));
}

TEST(Trainer, LearnsAnswersButNotTheirPrompts) {
  const TemporaryFolder folder;
  TextTrainConfig config = small_run(folder, "run");
  std::string lines;
  for (int i = 0; i < 40; ++i) {
    lines += R"({"text": "yz", "prompt": "abc"})"
             "\n";
  }
  config.data.data = folder.write("examples.jsonl", lines);
  config.data.prompt_field = "prompt";
  config.run.steps = 40;
  TextTrainer<float> trainer = TextTrainer<float>::start(config, bigram_factory());
  std::vector<TextStepReport> steps;
  std::vector<TextValidationReport> validations;
  trainer.run({[&](const TextStepReport& report) { steps.push_back(report); },
               [&](const TextValidationReport& report) { validations.push_back(report); }});
  EXPECT_EQ(trainer.progress().data.front(),
            (std::pair<std::string, uint64_t>("training_tokens", 36 * 3)));
  EXPECT_EQ(steps.back().measured.count, config.run.batch * 3);
  EXPECT_LT(steps.back().loss, steps.front().loss - 1.0);
  EXPECT_EQ(validations.back().measured.count, 4 * 3);
  EXPECT_EQ(validations.back().measured.bytes, 4 * 2);
  const Tensor<float> table = trainer.model().edit_weights().tensor("table");
  const auto row_changed = [&](char token) {
    const Tensor<float> row = table.slice(token, 1);
    return std::any_of(row.begin(), row.end(), [](float value) { return value != 0; });
  };
  EXPECT_TRUE(row_changed('c'));  // predicts the first letter of the answer
  EXPECT_TRUE(row_changed('y'));
  EXPECT_FALSE(row_changed('a'));
  EXPECT_FALSE(row_changed('b'));
}

TEST(Trainer, RefusesAnImpossibleConfigBeforeItWritesAnything) {
  const TemporaryFolder folder;
  TextTrainConfig config = small_run(folder, "run");
  config.run.batch = 0;
  EXPECT_THROW(TextTrainer<float>::start(config, bigram_factory()), Error);
  config = small_run(folder, "run");
  config.data.data = folder.file("no such text");
  EXPECT_THROW(TextTrainer<float>::start(config, bigram_factory()), Error);
  config = small_run(folder, "run");
  config.model.context = 1'000'000;
  EXPECT_THROW(TextTrainer<float>::start(config, bigram_factory()), Error);
  EXPECT_FALSE(std::filesystem::exists(config.run.out));
}

TEST(Trainer, SaysThatTheFolderCannotBeMade) {
  const TemporaryFolder folder;
  TextTrainConfig config = small_run(folder, "run");
  config.run.out = folder.write("a file", "") + "/run";
  EXPECT_EQ(error_text([&] { TextTrainer<float>::start(config, bigram_factory()); }),
            "cannot make the folder '" + config.run.out + "': Not a directory");
}

TEST(Trainer, RefusesAModelThatCannotFitInMemory) {
  const TemporaryFolder folder;
  TextTrainConfig config = small_run(folder, "run");
  config.model.layers = 1000;
  config.model.width = 1 << 16;
  config.model.heads = 1 << 10;
  const std::string text = error_text([&] { TextTrainer<float>::start(config); });
  EXPECT_EQ(text.find("this run needs about "), 0U) << text;
  EXPECT_NE(text.find("are available: lower micro-batch (1), context (8)"), std::string::npos)
      << text;
}

}  // namespace
}  // namespace ebt
