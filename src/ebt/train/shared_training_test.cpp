// One run on many ranks: the same bits as on one.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>

#include "ebt/dist/thread_group.h"
#include "ebt/model/model_folder.h"
#include "tests/support/error_text.h"
#include "tests/support/training_run.h"

namespace ebt {
namespace {

using testing::bigram_factory;
using testing::error_text;
using testing::metrics_without_clock;
using testing::TemporaryFolder;
namespace fs = std::filesystem;

// 12 steps of 8 rows.
TextTrainConfig small_run(const TemporaryFolder& folder, const std::string& name, int64_t grains) {
  TextTrainConfig config = testing::small_run(folder, name);
  config.run.steps = 12;
  config.run.batch = 8;
  config.run.grains = grains;
  config.run.validate_every = 5;
  config.run.checkpoint_every = 6;
  return config;
}

// An Energy-Based Transformer that takes milliseconds.
TextTrainConfig small_ebt_run(const TemporaryFolder& folder, const std::string& name,
                              int64_t grains) {
  TextTrainConfig config = small_run(folder, name, grains);
  config.model.layers = 1;
  config.model.width = 16;
  config.model.heads = 2;
  config.run.steps = 4;
  config.run.validation_windows = 2;
  return config;
}

void train(const TextTrainConfig& config, Group& ranks,
           const TextTrainer<float>::ModelFactory& factory = bigram_factory(),
           const TextObserver& observer = {}) {
  TextTrainer<float>::start(config, factory, ranks).run(observer);
}

void resume(const fs::path& folder, Group& ranks, const TextObserver& observer = {}) {
  TextTrainer<float>::resume(folder, {}, bigram_factory(), ranks).run(observer);
}

std::string bytes_of(const fs::path& path) { return read_text_file(path, 100'000'000); }

// The same metrics, weights and training state after `steps` steps.
void expect_same_runs(const fs::path& run, const fs::path& expected, int64_t steps) {
  EXPECT_EQ(metrics_without_clock(run), metrics_without_clock(expected));
  for (const std::string& name :
       {std::string(kModelFile), "training-state-" + std::to_string(steps) + ".safetensors"}) {
    EXPECT_TRUE(bytes_of(run / name) == bytes_of(expected / name)) << name;
  }
}

TEST(SharedTraining, GivesTheSameBytesForAnyNumberOfRanks) {
  const TemporaryFolder folder;
  train(small_run(folder, "alone", 8), lone_group());
  for (const int ranks : {2, 4, 8}) {
    const std::string name = std::to_string(ranks);
    const TextTrainConfig config = small_run(folder, name, 8);
    run_thread_ranks(ranks, [&](Group& group) { train(config, group); });
    expect_same_runs(folder.file(name), folder.file("alone"), 12);
  }
}

TEST(SharedTraining, OfAnEnergyBasedTransformerGivesTheSameBytes) {
  const TemporaryFolder folder;
  const auto& factory = TextTask<float>::make_model;
  train(small_ebt_run(folder, "alone", 4), lone_group(), factory);
  for (const int ranks : {2, 4}) {
    const std::string name = std::to_string(ranks);
    const TextTrainConfig config = small_ebt_run(folder, name, 4);
    run_thread_ranks(ranks, [&](Group& group) { train(config, group, factory); });
    expect_same_runs(folder.file(name), folder.file("alone"), 4);
  }
}

TEST(SharedTraining, ResumesOnAnotherNumberOfRanks) {
  const TemporaryFolder folder;
  train(small_run(folder, "alone", 4), lone_group());
  const TextTrainConfig config = small_run(folder, "run", 4);
  // Any rank may ask for the end, and all end.
  const auto stop_on = [](Group& group, int rank, int64_t step) {
    auto taken = std::make_shared<int64_t>(0);
    TextObserver observer;
    observer.on_step = [taken](const TextStepReport& report) { *taken = report.step; };
    observer.stop_requested = [taken, step, &group, rank] {
      return group.rank() == rank && *taken == step;
    };
    return observer;
  };
  run_thread_ranks(
      4, [&](Group& group) { train(config, group, bigram_factory(), stop_on(group, 3, 3)); });
  EXPECT_TRUE(fs::exists(fs::path(config.run.out) / "training-state-3.safetensors"));
  run_thread_ranks(2, [&](Group& group) { resume(config.run.out, group, stop_on(group, 0, 7)); });
  EXPECT_TRUE(fs::exists(fs::path(config.run.out) / "training-state-7.safetensors"));
  resume(config.run.out, lone_group());
  expect_same_runs(config.run.out, folder.file("alone"), 12);
}

TEST(SharedTraining, IsInterruptedBetweenStepsOnAllRanks) {
  const TemporaryFolder folder;
  const TextTrainConfig config = small_run(folder, "run", 2);
  run_thread_ranks(2, [&](Group& group) {
    TextObserver observer;
    observer.interrupted = [&] { return group.rank() == 1; };
    train(config, group, bigram_factory(), observer);
  });
  EXPECT_TRUE(fs::exists(fs::path(config.run.out) / "training-state-1.safetensors"));
}

TEST(SharedTraining, SkipsStepsThatAreNotFiniteOnOneRankOnAll) {
  const TemporaryFolder folder;
  const auto with_bad_steps = [](bool loss, bool gradient) {
    return [loss, gradient](const TextTrainConfig& config) {
      auto model = std::make_unique<testing::BigramModel<float>>(config.model);
      if (loss) {
        model->steps_of_bad_loss = {4};
      }
      if (gradient) {
        model->steps_of_bad_gradient = {2};
      }
      return model;
    };
  };
  train(small_run(folder, "alone", 4), lone_group(), with_bad_steps(true, true));
  const TextTrainConfig config = small_run(folder, "run", 4);
  run_thread_ranks(4, [&](Group& group) {
    train(config, group, with_bad_steps(group.rank() == 1, group.rank() == 2));
  });
  expect_same_runs(config.run.out, folder.file("alone"), 12);
  EXPECT_NE(metrics_without_clock(config.run.out)[2].find("\"skipped\":true"), std::string::npos);
}

TEST(SharedTraining, EndsOnAllRanksWhereItDiverges) {
  const TemporaryFolder folder;
  for (const int ranks : {1, 4}) {
    TextTrainConfig config = small_run(folder, std::to_string(ranks), 4);
    config.optimizer.learning_rate = 1e36;
    config.run.max_bad_steps = 2;
    EXPECT_NE(error_text([&] {
                run_thread_ranks(ranks, [&](Group& group) { train(config, group); });
              }).find("training stopped at step"),
              std::string::npos);
  }
  EXPECT_EQ(metrics_without_clock(folder.file("4")), metrics_without_clock(folder.file("1")));
}

TEST(SharedTraining, ExchangesTwiceTheWeightsInAStep) {
  const TemporaryFolder folder;
  for (const int size : {2, 4}) {
    const TextTrainConfig config = small_run(folder, std::to_string(size), 4);
    std::atomic<int64_t> sent = 0;
    std::atomic<int64_t> parameters = 0;
    run_thread_ranks(size, [&](Group& group) {
      auto trainer = TextTrainer<float>::start(config, bigram_factory(), group);
      parameters = trainer.model().layout().count();
      int64_t before = 0;
      TextObserver observer;
      observer.on_step = [&](const TextStepReport& report) {
        if (report.step == 4) {
          sent += group.bytes_sent() - before;
        }
        before = group.bytes_sent();
      };
      trainer.run(observer);
    });
    // Beside weights: losses, counts, and the squares of segments.
    constexpr int64_t kMostOfRest = 1000;
    const int64_t of_weights = 2 * 4 * parameters * (size - 1);
    EXPECT_GE(sent, of_weights);
    EXPECT_LE(sent, of_weights + size * kMostOfRest);
  }
}

TEST(SharedTraining, OfOneGrainIsTrainingAsItWas) {
  const TemporaryFolder folder;
  TextTrainConfig config = small_run(folder, "one", 1);
  config.thinking.replay_rows = 16;
  train(config, lone_group());
  EXPECT_EQ(error_text([&] {
              config.run.grains = 2;
              config.run.out = folder.file("two");
              train(config, lone_group());
            }),
            "--grains: rows are replayed (--replay-rows 16) in batches of one grain alone");
}

TEST(SharedTraining, RefusesGrainsAndRanksThatCannotBe) {
  const TemporaryFolder folder;
  const auto refusal = [&](int64_t grains, int ranks) {
    const TextTrainConfig config = small_run(folder, "run", grains);
    return error_text(
        [&] { run_thread_ranks(ranks, [&](Group& group) { train(config, group); }); });
  };
  EXPECT_EQ(refusal(3, 1), "--grains: 3 is not a power of two");
  EXPECT_EQ(refusal(0, 1), "--grains: 0 is not a power of two");
  EXPECT_EQ(refusal(16, 1), "--grains: a batch of 8 rows cannot be cut into 16 equal grains");
  EXPECT_EQ(
      refusal(1, 2),
      "2 ranks cannot share a batch of --grains 1: ranks are a power of two, and no more than "
      "grains");
  EXPECT_EQ(refusal(8, 3).substr(0, 45), "3 ranks cannot share a batch of --grains 8: r");
}

}  // namespace
}  // namespace ebt
