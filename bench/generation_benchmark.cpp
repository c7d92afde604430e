#include "bench/generation_benchmark.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <numeric>
#include <utility>

#include "ebt/core/bfloat16.h"
#include "ebt/core/config_fields.h"
#include "ebt/kernels/rng.h"
#include "ebt/model/text_model.h"
#include "ebt/think/recomputed_thinking.h"
#include "ebt/think/text_generator.h"

namespace ebt {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Bytes that a second reads from memory.
double memory_rate() {
  const std::vector<double> values((size_t{256} << 20) / sizeof(double), 1.0);
  const auto count = static_cast<int64_t>(values.size());
  std::vector<double> rates;
  double total = 0;
  for (int run = 0; run < 5; ++run) {
    const auto begin = Clock::now();
    double sum = 0;
#pragma omp parallel for simd reduction(+ : sum) schedule(static)
    for (int64_t i = 0; i < count; ++i) {
      sum += values[static_cast<size_t>(i)];
    }
    rates.push_back(static_cast<double>(values.size() * sizeof(double)) / seconds_since(begin));
    total += sum;
  }
  return total > 0 ? *std::max_element(rates.begin(), rates.end()) : 0;
}

// A model of random weights, for any length of context.
class RandomModel {
 public:
  RandomModel(const GenerationBenchmarkConfig& config, Architecture arch) {
    if (arch == Architecture::kEbt) {  // a baseline has no landscapes
      fields_from_json({{"type", config.type}}, "bench", model_);
    }
    const ModelSize& size = model_size(config.size);
    model_.arch = arch;
    model_.layers = size.layers;
    model_.width = size.width;
    model_.heads = size.heads;
    model_.vocab_size = config.vocab;
    model_.landscapes = config.think_steps;
    model_.norm_eps = arch == Architecture::kEbt ? 0.5 : 1e-5;
    model_.check();
    EngineOptions options;
    options.training = false;
    const auto model = make_text_model<float>(model_, thinking_, 1, 1, options);
    initialize_weights(*model, thinking_, 0);
    layout_ = std::make_unique<ParameterLayout>(text_model_layout(model_));
    weights_ = copy_of(model->weights(), *layout_);
  }

  template <class S>
  std::unique_ptr<TextGenerator<float, S>> generator(int64_t texts, int64_t context) const {
    TextModelConfig model = model_;
    model.context = context;
    auto layout = std::make_unique<ParameterLayout>(text_model_layout(model));
    ParameterBlock<float> weights = copy_of(weights_, *layout);
    return std::make_unique<TextGenerator<float, S>>(model, thinking_, std::move(layout),
                                                     std::move(weights), texts);
  }
  std::vector<int32_t> prompt(int64_t tokens, uint64_t text) const {
    const RandomStream random{text, RandomPurpose::kDataOrder, 0};
    std::vector<int32_t> prompt(static_cast<size_t>(tokens));
    for (size_t i = 0; i < prompt.size(); ++i) {
      prompt[i] = static_cast<int32_t>(random.below(static_cast<uint64_t>(model_.vocab_size), i));
    }
    return prompt;
  }
  // Seconds of one token with everything computed anew for every step.
  template <class S>
  double recomputed(int64_t context, int64_t iterations) const {
    RecomputedThinking<float, S> thinking(model_, thinking_, weights_, context);
    const std::vector<int32_t> tokens = prompt(context, 0);
    std::vector<double> seconds;
    for (int64_t run = 0; run <= iterations; ++run) {
      const auto begin = Clock::now();
      thinking.think(tokens, {}, {});
      if (run > 0) {  // the first warms up
        seconds.push_back(seconds_since(begin));
      }
    }
    return median(seconds);
  }

 private:
  static ParameterBlock<float> copy_of(const ParameterBlock<float>& weights,
                                       const ParameterLayout& layout) {
    ParameterBlock<float> copy(layout);
    std::copy(weights.all().begin(), weights.all().end(), copy.all().begin());
    return copy;
  }

  TextModelConfig model_;
  TextThinkingConfig thinking_;
  std::unique_ptr<ParameterLayout> layout_;
  ParameterBlock<float> weights_;
};

struct Rates {
  double tokens_per_second = 0;  // of all texts together
  double prompt_tokens_per_second = 0;
};

// Lets `texts` texts write in contexts of about `context` tokens. What they write counts from the
// moment at which all of them are writing.
template <class S>
Rates write(const RandomModel& model, int64_t texts, int64_t context,
            const GenerationBenchmarkConfig& config) {
  const int64_t prompt = std::max<int64_t>(1, context - config.tokens / 2);
  // Texts that have read their prompts write while others read.
  const auto generator = model.generator<S>(texts, 2 * (context + config.tokens));
  std::vector<double> writing;
  std::vector<double> reading;
  for (int64_t run = 0; run <= config.iterations; ++run) {
    std::vector<int64_t> written(static_cast<size_t>(texts), 0);
    std::vector<int64_t> ids(written.size());
    const auto begin = Clock::now();
    for (size_t text = 0; text < ids.size(); ++text) {
      GenerationRequest request;
      request.prompt = model.prompt(prompt, text);
      request.max_tokens = 1'000'000;  // cancelled long before
      ids[text] = generator->submit(
          std::move(request), {[&written, text](const TokenReport&) { ++written[text]; }, {}});
    }
    while (std::any_of(written.begin(), written.end(), [](int64_t n) { return n == 0; })) {
      generator->step();
    }
    const double reading_seconds = seconds_since(begin);
    const auto sum = [&] { return std::accumulate(written.begin(), written.end(), int64_t{0}); };
    const int64_t before = sum();
    const auto start = Clock::now();
    while (sum() - before < texts * config.tokens) {
      generator->step();
    }
    const double rate = static_cast<double>(sum() - before) / seconds_since(start);
    for (const int64_t id : ids) {
      generator->cancel(id);
    }
    if (run > 0) {  // the first warms up
      writing.push_back(rate);
      reading.push_back(static_cast<double>(texts * prompt) / reading_seconds);
    }
  }
  return {median(writing), median(reading)};
}

template <class S>
GenerationBenchmark measure(const GenerationBenchmarkConfig& config,
                            const std::function<void(const std::string&)>& progress) {
  GenerationBenchmark result;
  const RandomModel ebt(config, Architecture::kEbt);
  const auto seconds_at = [&](const RandomModel& model, int64_t context) {
    return 1 / write<S>(model, 1, context, config).tokens_per_second;
  };
  progress("one text");
  const Rates one = write<S>(ebt, 1, config.context, config);
  result.seconds_per_token = 1 / one.tokens_per_second;
  result.prompt_tokens_per_second = one.prompt_tokens_per_second;
  progress("Transformer++");
  result.transformer_pp_seconds =
      seconds_at(RandomModel(config, Architecture::kTransformerPp), config.context);
  progress(fmt::format("{} texts", config.texts));
  result.texts_tokens_per_second =
      write<S>(ebt, config.texts, config.context, config).tokens_per_second;
  progress("the prefix computed anew for every step");
  result.recomputed_seconds = ebt.recomputed<S>(config.context, config.iterations);

  const auto generator = ebt.generator<S>(1, 1);
  // A step reads keys and values on its way up, and again on its way down; the final energy once.
  const auto reads = static_cast<double>(2 * config.think_steps + 1);
  result.weight_bytes_per_token = reads * static_cast<double>(generator->block_bytes());
  for (const int64_t context : {config.context / 4, config.context / 2, config.context,
                                2 * config.context, 4 * config.context}) {
    if (context > config.tokens) {
      progress(fmt::format("contexts of {} tokens", context));
      result.by_context.push_back(
          {context, seconds_at(ebt, context),
           reads * static_cast<double>(context * generator->token_bytes())});
    }
  }
  if (result.by_context.size() > 1) {
    const ContextCost& first = result.by_context.front();
    const ContextCost& last = result.by_context.back();
    result.cache_bytes_per_second = (last.cache_bytes_per_token - first.cache_bytes_per_token) /
                                    (last.seconds_per_token - first.seconds_per_token);
  }
  progress("the memory");
  result.memory_bytes_per_second = memory_rate();
  return result;
}

}  // namespace

GenerationBenchmark benchmark_generation(const GenerationBenchmarkConfig& config,
                                         const std::function<void(const std::string&)>& progress) {
  EBT_CHECK(config.context >= 1, "--context: {} is not positive", config.context);
  EBT_CHECK(config.texts >= 1, "--texts: {} is not positive", config.texts);
  EBT_CHECK(config.tokens >= 1, "--tokens: {} is not positive", config.tokens);
  EBT_CHECK(config.iterations >= 1, "--iterations: {} is not positive", config.iterations);
  return precision_of(config.precision) == Precision::kBf16 ? measure<Bfloat16>(config, progress)
                                                            : measure<float>(config, progress);
}

}  // namespace ebt
