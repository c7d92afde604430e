#include "ebt/think/text_generator.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "ebt/core/bfloat16.h"
#include "ebt/core/config_fields.h"
#include "ebt/model/text_model.h"
#include "ebt/think/distribution.h"
#include "ebt/think/recomputed_thinking.h"
#include "tests/support/error_text.h"

namespace ebt {
namespace {

using testing::error_text;

TextModelConfig small_model(Architecture arch, EbtType type) {
  TextModelConfig model;
  model.arch = arch;
  model.type = type;
  model.layers = 2;
  model.width = 16;
  model.heads = 2;
  model.ffn_multiplier = 1.5;
  model.vocab_size = 19;
  model.context = 7;
  model.landscapes = 2;
  model.norm_eps = 0.5;  // energies whose descent magnifies no roundings
  return model;
}

// A model with random weights, no tensor of which is special.
template <class T>
struct SmallModel {
  TextModelConfig config;
  TextThinkingConfig thinking;
  std::unique_ptr<ParameterLayout> layout;
  ParameterBlock<T> weights;

  explicit SmallModel(EbtType type, Architecture arch = Architecture::kEbt)
      : config(small_model(arch, type)), layout(new ParameterLayout(text_model_layout(config))) {
    thinking.step_size = 0.5;
    const auto model = make_text_model<double>(config, thinking, 1, config.context, {});
    initialize_weights(*model, thinking, 5);
    std::vector<double> noise(static_cast<size_t>(layout->count()));
    RandomStream{6, RandomPurpose::kSampling, 0}.normal(
        0, Tensor<double>{noise.data(), {layout->count()}}, 0.05);
    weights = ParameterBlock<T>(*layout);
    for (int64_t i = 0; i < layout->count(); ++i) {
      weights.all()[i] = static_cast<T>(model->weights().all()[i] + noise[static_cast<size_t>(i)]);
    }
  }
  template <class S = T>
  std::unique_ptr<TextGenerator<T, S>> generator(int64_t texts) const {
    auto own_layout = std::make_unique<ParameterLayout>(text_model_layout(config));
    ParameterBlock<T> copy(*own_layout);
    std::copy(weights.all().begin(), weights.all().end(), copy.all().begin());
    return std::make_unique<TextGenerator<T, S>>(config, thinking, std::move(own_layout),
                                                 std::move(copy), texts);
  }
};

struct Outcome {
  std::vector<TokenReport> reports;
  FinishReason reason = FinishReason::kCancelled;
};

GenerationCallbacks collect(Outcome& outcome) {
  return {[&](const TokenReport& report) { outcome.reports.push_back(report); },
          [&](FinishReason reason) { outcome.reason = reason; }};
}

std::vector<Outcome> run(Generator& generator, const std::vector<GenerationRequest>& requests) {
  std::vector<Outcome> outcomes(requests.size());
  for (size_t i = 0; i < requests.size(); ++i) {
    generator.submit(requests[i], collect(outcomes[i]));
  }
  while (generator.step()) {
  }
  return outcomes;
}

// Reads 6 tokens, scores 5 of them, writes 13 more: the context of 7 is cut several times.
GenerationRequest long_request() {
  GenerationRequest request;
  request.prompt = {3, 1, 4, 1, 5, 9};
  request.score_from = 1;
  request.max_tokens = 13;
  request.top_tokens = 3;
  request.think.seed = 8;
  request.sampling.seed = 9;
  return request;
}

struct NamedOptions {
  const char* name;
  ThinkOptions think;
};

std::vector<NamedOptions> all_options() {
  std::vector<NamedOptions> all;
  const auto add = [&](const char* name, auto set) {
    NamedOptions options{name, {}};
    set(options.think);
    options.think.seed = 8;
    all.push_back(options);
  };
  add("AsTrained", [](ThinkOptions&) {});
  add("FiveStepsOnTheLastLandscape", [](ThinkOptions& o) { o.steps = 5; });
  add("ThreeStepsOnEach", [](ThinkOptions& o) {
    o.steps = 3;
    o.steps_on = Landscapes::kAll;
  });
  add("StepSizeOnTheLast", [](ThinkOptions& o) {
    o.step_size = 0.3;
    o.step_size_on = Landscapes::kFinal;
  });
  add("StepSizeScaled", [](ThinkOptions& o) { o.step_size_scale = 2.5; });
  add("NoiseBeforeAllSteps", [](ThinkOptions& o) {
    o.steps = 3;
    o.langevin_noise = 0.2;
  });
  add("NoiseBeforeTheFirstStep", [](ThinkOptions& o) {
    o.steps = 3;
    o.langevin_noise = 0.2;
    o.langevin_on = NoisySteps::kFirst;
  });
  add("OnlyDownwards", [](ThinkOptions& o) {
    o.steps = 4;
    o.step_size = 40;
    o.accept_lower = true;
  });
  add("UntilConverged", [](ThinkOptions& o) {
    o.steps = 30;
    o.stop_change = 0.003;
    o.stop_patience = 2;
  });
  add("LeastOfFour", [](ThinkOptions& o) { o.candidates = 4; });
  add("LargestOfThree", [](ThinkOptions& o) {
    o.candidates = 3;
    o.choose = CandidateChoice::kMax;
  });
  add("LargestDropOfThree", [](ThinkOptions& o) {
    o.candidates = 3;
    o.choose = CandidateChoice::kDrop;
  });
  add("Everything", [](ThinkOptions& o) {
    o.steps = 12;
    o.step_size_scale = 3;
    o.langevin_noise = 0.05;
    o.langevin_on = NoisySteps::kFirst;
    o.accept_lower = true;
    o.stop_change = 0.02;
    o.candidates = 3;
  });
  return all;
}

// First token of the context that the token at `position` is predicted from.
int64_t window_of(const TextModelConfig& config, int64_t position) {
  int64_t start = 0;
  while (position - start > config.context) {
    start += config.context - config.context / 2;
  }
  return start;
}

// Thinks about the token at `position` of a text, candidate by candidate, prefix by prefix.
void expect_recomputed(const SmallModel<double>& model, const std::vector<int32_t>& text,
                       int64_t position, const GenerationRequest& request,
                       const TokenReport& report) {
  const ThinkOptions& options = request.think;
  const int64_t start = window_of(model.config, position);
  const std::span<const int32_t> seen{text.data() + start, text.data() + position};
  RecomputedThinking<double> thinking(model.config, model.thinking, model.weights,
                                      position - start);
  std::vector<RecomputedThinking<double>::Thought> candidates;
  size_t kept = 0;
  int64_t steps = 0;
  ASSERT_EQ(static_cast<int64_t>(report.candidate_energies.size()), options.candidates);
  for (int64_t c = 0; c < options.candidates; ++c) {
    candidates.push_back(thinking.think(seen, options, {options.seed, start + 1, c}).back());
    const auto& energies = candidates.back().energies;
    EXPECT_NEAR(report.candidate_energies[static_cast<size_t>(c)], energies.back(), 1e-9);
    steps += candidates.back().steps;
    const auto& best = candidates[kept].energies;
    const bool better = options.choose == CandidateChoice::kMin ? energies.back() < best.back()
                        : options.choose == CandidateChoice::kMax
                            ? energies.back() > best.back()
                            : energies.front() - energies.back() > best.front() - best.back();
    kept = better ? static_cast<size_t>(c) : kept;
  }
  const auto& thought = candidates[kept];
  EXPECT_EQ(report.thinking_steps, steps);
  ASSERT_EQ(report.states.size(), thought.energies.size());
  for (size_t i = 0; i < thought.energies.size(); ++i) {
    EXPECT_NEAR(report.states[i].energy, thought.energies[i], 1e-9) << "step " << i;
  }
  const Distribution<double> prediction(
      Tensor<const double>{thought.logits.data(), {model.config.vocab_size}});
  EXPECT_NEAR(report.log_probability, prediction.log_probability(report.token), 1e-9);
  const std::vector<TokenProbability> top = prediction.likeliest(request.top_tokens);
  ASSERT_EQ(report.top.size(), top.size());
  for (size_t i = 0; i < top.size(); ++i) {
    EXPECT_EQ(report.top[i].token, top[i].token);
    EXPECT_NEAR(report.top[i].log_probability, top[i].log_probability, 1e-9);
  }
  if (request.trace) {
    EXPECT_NEAR(report.states.back().entropy, prediction.entropy(), 1e-9);
    EXPECT_EQ(report.states.back().top.front().token, top.front().token);
  }
  const auto prompt_size = static_cast<int64_t>(request.prompt.size());
  if (position >= prompt_size) {
    const RandomStream stream{request.sampling.seed, RandomPurpose::kSampling, 0};
    EXPECT_EQ(report.token,
              prediction.sample(request.sampling,
                                stream.uniform(static_cast<uint64_t>(position - prompt_size))));
  }
}

class TextGeneratorOptions : public ::testing::TestWithParam<std::tuple<EbtType, NamedOptions>> {};

TEST_P(TextGeneratorOptions, EqualsFullRecomputation) {
  const auto& [type, options] = GetParam();
  const SmallModel<double> model(type);
  GenerationRequest request = long_request();
  request.think = options.think;
  request.trace = true;
  const Outcome outcome = run(*model.generator(2), {request}).front();
  EXPECT_EQ(outcome.reason, FinishReason::kLength);
  ASSERT_EQ(outcome.reports.size(), 18U);
  std::vector<int32_t> text = request.prompt;
  for (size_t i = 0; i < outcome.reports.size(); ++i) {
    const auto position = static_cast<int64_t>(i) + 1;
    const TokenReport& report = outcome.reports[i];
    EXPECT_EQ(report.from_prompt, i < 5);
    if (report.from_prompt) {
      EXPECT_EQ(report.token, text[static_cast<size_t>(position)]);
    } else {
      text.push_back(report.token);
    }
    SCOPED_TRACE("token " + std::to_string(position));
    expect_recomputed(model, text, position, request, report);
  }
}

INSTANTIATE_TEST_SUITE_P(All, TextGeneratorOptions,
                         ::testing::Combine(::testing::Values(EbtType::kDefault,
                                                              EbtType::kTimeEmbed, EbtType::kAdaln,
                                                              EbtType::kAdalnZero),
                                            ::testing::ValuesIn(all_options())),
                         [](const auto& info) {
                           std::string name =
                               enum_name(std::get<0>(info.param)) + std::get<1>(info.param).name;
                           name.erase(std::remove(name.begin(), name.end(), '_'), name.end());
                           return name;
                         });

TEST(TextGenerator, TestsStoppingAndRefusedStepsThatReallyHappen) {
  const SmallModel<double> model(EbtType::kTimeEmbed);
  for (const NamedOptions& options : all_options()) {
    GenerationRequest request = long_request();
    request.think = options.think;
    const Outcome outcome = run(*model.generator(1), {request}).front();
    const auto any = [&](auto condition) {
      return std::any_of(outcome.reports.begin(), outcome.reports.end(), condition);
    };
    if (options.name == std::string("UntilConverged")) {
      EXPECT_TRUE(any([](const TokenReport& r) { return r.thinking_steps < 31; }));
      EXPECT_FALSE(any([](const TokenReport& r) { return r.thinking_steps < 3; }));
    }
    if (options.name == std::string("OnlyDownwards")) {
      request.think.accept_lower = false;
      const Outcome reckless = run(*model.generator(1), {request}).front();
      EXPECT_NE(outcome.reports[0].energy(), reckless.reports[0].energy());
    }
  }
}

void expect_identical(const Outcome& a, const Outcome& b) {
  EXPECT_EQ(a.reason, b.reason);
  ASSERT_EQ(a.reports.size(), b.reports.size());
  for (size_t i = 0; i < a.reports.size(); ++i) {
    const TokenReport& x = a.reports[i];
    const TokenReport& y = b.reports[i];
    EXPECT_EQ(x.token, y.token);
    EXPECT_EQ(x.log_probability, y.log_probability);
    EXPECT_EQ(x.candidate_energies, y.candidate_energies);
    EXPECT_EQ(x.thinking_steps, y.thinking_steps);
    EXPECT_EQ(x.forward_passes, y.forward_passes);
    ASSERT_EQ(x.states.size(), y.states.size());
    for (size_t s = 0; s < x.states.size(); ++s) {
      EXPECT_EQ(x.states[s].energy, y.states[s].energy);
    }
  }
}

// Requests of all kinds, of different lengths.
std::vector<GenerationRequest> mixed_requests() {
  std::vector<GenerationRequest> requests;
  for (const NamedOptions& options : all_options()) {
    GenerationRequest request = long_request();
    request.think = options.think;
    const auto index = static_cast<int64_t>(requests.size());
    request.prompt.resize(static_cast<size_t>(1 + index % 6));
    request.max_tokens = 4 + index;
    request.score_from = index % 2 == 0 ? 1 : -1;
    request.sampling.seed = static_cast<uint64_t>(index);
    requests.push_back(request);
  }
  return requests;
}

template <class T, class S>
void expect_independent_of_company(EbtType type, Architecture arch) {
  const SmallModel<T> model(type, arch);
  const std::vector<GenerationRequest> requests = mixed_requests();
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  std::vector<Outcome> alone;
  alone.reserve(requests.size());
  for (const GenerationRequest& request : requests) {
    alone.push_back(run(*model.template generator<S>(1), {request}).front());
  }
  omp_set_num_threads(std::max(threads, 2));
  for (const int64_t texts : {3, 20}) {
    const std::vector<Outcome> together = run(*model.template generator<S>(texts), requests);
    for (size_t i = 0; i < requests.size(); ++i) {
      SCOPED_TRACE(all_options()[i].name);
      expect_identical(alone[i], together[i]);
    }
  }
  omp_set_num_threads(threads);
}

TEST(TextGenerator, WritesTheSameInAnyCompanyOnAnyNumberOfThreads) {
  for (const EbtType type : {EbtType::kDefault, EbtType::kTimeEmbed, EbtType::kAdalnZero}) {
    expect_independent_of_company<double, double>(type, Architecture::kEbt);
    expect_independent_of_company<float, float>(type, Architecture::kEbt);
    expect_independent_of_company<float, Bfloat16>(type, Architecture::kEbt);
  }
  expect_independent_of_company<float, Bfloat16>(EbtType::kDefault, Architecture::kTransformerPp);
}

TEST(TextGenerator, PredictsForABaselineWhatItsTrainingPassDoes) {
  const SmallModel<double> model(EbtType::kDefault, Architecture::kTransformerPp);
  const Outcome outcome = run(*model.generator(2), {long_request()}).front();
  ASSERT_EQ(outcome.reports.size(), 18U);
  std::vector<int32_t> text = long_request().prompt;
  for (size_t i = 0; i < outcome.reports.size(); ++i) {
    const auto position = static_cast<int64_t>(i) + 1;
    const TokenReport& report = outcome.reports[i];
    const int64_t start = window_of(model.config, position);
    const int64_t seen = position - start;
    const auto full = make_text_model<double>(model.config, {}, 1, seen, {});
    std::copy(model.weights.all().begin(), model.weights.all().end(),
              full->edit_weights().all().begin());
    std::vector<int32_t> targets(static_cast<size_t>(seen), kIgnoredTarget);
    targets.back() = report.token;
    const LossSums sums =
        full->evaluate({text.data() + start, {1, seen}}, {targets.data(), {1, seen}}, {});
    EXPECT_NEAR(report.log_probability, -sums.objective, 1e-10) << "token " << position;
    EXPECT_TRUE(report.states.empty());
    EXPECT_EQ(report.forward_passes, 1);
    if (!report.from_prompt) {
      text.push_back(report.token);
    }
  }
}

TEST(TextGenerator, OnlyScoresWhereNothingIsToBeWritten) {
  const SmallModel<double> model(EbtType::kTimeEmbed);
  GenerationRequest request = long_request();
  request.max_tokens = 0;
  const Outcome scored = run(*model.generator(1), {request}).front();
  EXPECT_EQ(scored.reason, FinishReason::kLength);
  ASSERT_EQ(scored.reports.size(), 5U);
  request.score_from = 3;
  EXPECT_EQ(run(*model.generator(1), {request}).front().reports.size(), 3U);
  request.score_from = -1;
  EXPECT_TRUE(run(*model.generator(1), {request}).front().reports.empty());
  request.score_from = 6;  // beyond the prompt
  EXPECT_TRUE(run(*model.generator(1), {request}).front().reports.empty());
}

TEST(TextGenerator, EndsBeforeTheEndToken) {
  const SmallModel<double> model(EbtType::kTimeEmbed);
  GenerationRequest request = long_request();
  const Outcome whole = run(*model.generator(1), {request}).front();
  // The first token that has not been written before it.
  size_t end = 6;
  const auto token_at = [&](size_t i) { return whole.reports[i].token; };
  while (std::any_of(whole.reports.begin() + 5, whole.reports.begin() + static_cast<int64_t>(end),
                     [&](const TokenReport& r) { return r.token == token_at(end); })) {
    ++end;
  }
  request.end_token = token_at(end);
  Outcome cut;
  Outcome last;
  GenerationCallbacks callbacks = collect(cut);
  callbacks.on_end = collect(last).on_token;
  const auto generator = model.generator(1);
  generator->submit(request, std::move(callbacks));
  while (generator->step()) {
  }
  EXPECT_EQ(cut.reason, FinishReason::kEnd);
  EXPECT_EQ(cut.reports.size(), end);
  ASSERT_EQ(last.reports.size(), 1U) << "the end is told of, but is no part of the text";
  EXPECT_EQ(last.reports[0].token, request.end_token);
  EXPECT_EQ(last.reports[0].log_probability, whole.reports[end].log_probability);
  EXPECT_EQ(last.reports[0].thinking_steps, whole.reports[end].thinking_steps);
}

TEST(TextGenerator, SpendsNoMoreThanItsBudget) {
  const SmallModel<double> model(EbtType::kTimeEmbed);
  for (const int64_t candidates : {1, 3}) {
    GenerationRequest request = long_request();
    request.think.steps = 4;  // 5 in all
    request.think.candidates = candidates;
    request.think.budget = 33;
    const Outcome outcome = run(*model.generator(1), {request}).front();
    EXPECT_EQ(outcome.reason, FinishReason::kBudget);
    int64_t spent = 0;
    for (const TokenReport& report : outcome.reports) {
      spent += report.thinking_steps;
    }
    EXPECT_EQ(spent, 33);
    // The last thought is cut short: 33 = 6 * 5 + 3, or 2 * 15 + 3 * 1.
    EXPECT_EQ(outcome.reports.back().thinking_steps, 3);
    EXPECT_EQ(outcome.reports.size(), candidates == 1 ? 7U : 3U);
  }
}

TEST(TextGenerator, CancelsFromOutsideFromWithinAndWhileWaiting) {
  const SmallModel<double> model(EbtType::kTimeEmbed);
  const auto generator = model.generator(1);
  Outcome first, second, third;
  const int64_t first_id = generator->submit(long_request(), collect(first));
  const int64_t second_id = generator->submit(long_request(), collect(second));
  int64_t third_id = 0;
  GenerationCallbacks callbacks = collect(third);
  callbacks.on_token = [&](const TokenReport& report) {
    third.reports.push_back(report);
    if (third.reports.size() == 7) {
      generator->cancel(third_id);
    }
  };
  third_id = generator->submit(long_request(), std::move(callbacks));
  Outcome fourth;
  generator->submit(long_request(), collect(fourth));
  EXPECT_EQ(generator->waiting(), 4);
  while (first.reports.empty()) {
    generator->step();
  }
  EXPECT_EQ(generator->running(), 1);
  EXPECT_EQ(generator->waiting(), 3);
  first.reason = second.reason = third.reason = FinishReason::kEnd;
  generator->cancel(second_id);
  EXPECT_EQ(second.reason, FinishReason::kCancelled);
  EXPECT_EQ(generator->waiting(), 2);
  generator->cancel(first_id);
  EXPECT_EQ(first.reason, FinishReason::kCancelled);
  EXPECT_EQ(generator->running(), 0);
  generator->cancel(first_id);
  generator->cancel(4711);
  while (generator->step()) {
  }
  EXPECT_EQ(third.reason, FinishReason::kCancelled);
  EXPECT_EQ(third.reports.size(), 7U);
  // Whoever comes into the place of a cancelled text finds nothing of it.
  expect_identical(fourth, run(*model.generator(1), {long_request()}).front());
  EXPECT_FALSE(generator->step());
}

TEST(TextGenerator, EndsATextWhosePredictionIsNotFinite) {
  SmallModel<float> model(EbtType::kTimeEmbed);
  model.weights.tensor("transformer.layers.0.attention.wo.weight")[3] =
      std::numeric_limits<float>::quiet_NaN();
  GenerationRequest request = long_request();
  request.trace = true;
  const Outcome outcome = run(*model.generator(1), {request}).front();
  EXPECT_EQ(outcome.reason, FinishReason::kNotFinite);
  EXPECT_TRUE(outcome.reports.empty());
}

TEST(TextGenerator, RefusesImpossibleRequests) {
  const SmallModel<double> model(EbtType::kTimeEmbed);
  const auto generator = model.generator(1);
  const auto error_of = [&](auto change) {
    GenerationRequest request = long_request();
    change(request);
    return error_text([&] { generator->submit(request, {}); });
  };
  EXPECT_EQ(error_of([](GenerationRequest& r) { r.prompt.clear(); }),
            "generate: the prompt has no tokens");
  EXPECT_EQ(error_of([](GenerationRequest& r) {
              r.prompt = {1, 19};
            }),
            "generate: token 19 of the prompt is not one of the model's 0..18");
  EXPECT_EQ(error_of([](GenerationRequest& r) { r.max_tokens = -1; }),
            "generate: -1 tokens at most");
  EXPECT_EQ(error_of([](GenerationRequest& r) { r.score_from = 0; }),
            "generate: token 0 of the prompt cannot be scored: nothing precedes it");
  EXPECT_EQ(error_of([](GenerationRequest& r) { r.top_tokens = 20; }),
            "generate: 20 likeliest tokens of 19");
  EXPECT_EQ(error_of([](GenerationRequest& r) { r.sampling.temperature = -1; }),
            "temperature: -1 is not a number from 0");
  EXPECT_EQ(error_of([](GenerationRequest& r) { r.sampling.top_k = -1; }), "top-k: -1 is negative");
  EXPECT_EQ(error_of([](GenerationRequest& r) { r.sampling.top_p = 0; }),
            "top-p: 0 is not in (0, 1]");
  EXPECT_EQ(generator->waiting(), 0);
}

}  // namespace
}  // namespace ebt
