#include "bench/text_step_benchmark.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "ebt/core/config_fields.h"
#include "ebt/kernels/rng.h"
#include "ebt/train/text_task.h"

namespace ebt {
namespace {

constexpr const char* kTransformerPp = "transformer_pp";

// The same random tokens in every step, each the target of the one before it.
class RandomTokens : public RowSeries {
 public:
  RandomTokens(int64_t rows, int64_t context, int64_t vocab_size)
      : tokens_(static_cast<size_t>(rows * context + 1)) {
    const RandomStream random{0, RandomPurpose::kDataOrder, 0};
    for (size_t i = 0; i < tokens_.size(); ++i) {
      tokens_[i] = static_cast<int32_t>(random.below(static_cast<uint64_t>(vocab_size), i));
    }
    batch_.resize(rows, context);
    std::copy(tokens_.begin(), tokens_.end() - 1, batch_.inputs.begin());
    std::copy(tokens_.begin() + 1, tokens_.end(), batch_.targets.begin());
  }
  void fill(Batch& batch, int64_t /*first_row*/, int64_t /*rows*/) override { batch = batch_; }

 private:
  std::vector<int32_t> tokens_;
  Batch batch_;
};

TextTrainConfig training_of(const TextStepBenchmarkConfig& config) {
  TextTrainConfig training;
  training.model = {};
  fields_from_json({{"arch", config.arch}, {"type", config.type}}, "bench", training.model);
  const ModelSize& size = model_size(config.size);
  training.model.layers = size.layers;
  training.model.width = size.width;
  training.model.heads = size.heads;
  training.model.vocab_size = config.vocab;
  training.model.context = config.context;
  training.model.landscapes = config.think_steps;
  training.optimizer.learning_rate = 1e-3;
  training.run.batch = config.batch;
  training.run.micro_batch =
      config.micro_batch == 0 ? config.batch : std::min(config.micro_batch, config.batch);
  training.run.precision = config.precision;
  training.run.recompute = config.recompute;
  return training;
}

TimedSteps steps_of(const TextStepBenchmarkConfig& config) {
  using Task = TextTask<float>;
  const TextTrainConfig training = training_of(config);
  Task::Data data;
  data.text.training = std::make_unique<RandomTokens>(config.batch, config.context, config.vocab);
  return timed_steps<Task>(training, std::move(data));
}

}  // namespace

StepBenchmark benchmark_text_step(const TextStepBenchmarkConfig& config,
                                  const BenchmarkProgress& progress) {
  EBT_CHECK(config.batch >= 1, "--batch: {} is not positive", config.batch);
  EBT_CHECK(config.micro_batch >= 0, "--micro-batch: {} is negative", config.micro_batch);
  start_benchmark(config.iterations, config.threads);
  std::function<TimedSteps()> make_baseline;
  if (config.arch != kTransformerPp) {
    make_baseline = [&] {
      TextStepBenchmarkConfig baseline = config;
      baseline.arch = kTransformerPp;
      return steps_of(baseline);
    };
  }
  return benchmark_steps(
      config.iterations, [&] { return steps_of(config); }, make_baseline, "Transformer++",
      progress);
}

}  // namespace ebt
