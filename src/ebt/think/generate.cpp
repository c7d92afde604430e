#include "ebt/think/generate.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "ebt/core/rng.h"

namespace ebt {
namespace {

// softmax(logits * sharpness), in double. Throws Error when a logit is not finite.
template <class T>
std::vector<double> probabilities(Tensor<const T> logits, double sharpness) {
  for (const T& logit : logits) {
    EBT_CHECK(std::isfinite(logit), "generate: the model's prediction is not a finite number");
  }
  const auto largest = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
  std::vector<double> result;
  result.reserve(static_cast<size_t>(logits.count()));
  double total = 0;
  for (const T& logit : logits) {
    result.push_back(std::exp((static_cast<double>(logit) - largest) * sharpness));
    total += result.back();
  }
  for (double& probability : result) {
    probability /= total;
  }
  return result;
}

}  // namespace

void GenerateOptions::check() const {
  EBT_CHECK(tokens >= 0, "--tokens: {} is negative", tokens);
  EBT_CHECK(temperature >= 0 && std::isfinite(temperature),
            "--temperature: {} is not a number from 0", temperature);
  EBT_CHECK(top_p > 0 && top_p <= 1, "--top-p: {} is not in (0, 1]", top_p);
  EBT_CHECK(think.steps >= 0, "--think-steps: {} is negative", think.steps);
}

template <class T>
int32_t sample_token(Tensor<const T> logits, double temperature, double top_p, double uniform) {
  const std::vector<double> p = probabilities(logits, temperature > 0 ? 1 / temperature : 1);
  std::vector<int32_t> order(p.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    return p[static_cast<size_t>(a)] > p[static_cast<size_t>(b)];
  });
  if (temperature == 0) {
    return order.front();
  }
  size_t nucleus = 0;
  double mass = 0;
  while (nucleus < order.size() && (nucleus == 0 || mass < top_p)) {
    mass += p[static_cast<size_t>(order[nucleus++])];
  }
  double threshold = uniform * mass;
  for (size_t i = 0; i + 1 < nucleus; ++i) {
    threshold -= p[static_cast<size_t>(order[i])];
    if (threshold < 0) {
      return order[i];
    }
  }
  return order[nucleus - 1];
}

template <class T>
std::vector<GeneratedToken> generate(TextModel<T>& model, std::span<const int32_t> prompt,
                                     const GenerateOptions& options,
                                     const std::function<void(const GeneratedToken&)>& on_token) {
  options.check();
  const int64_t context = model.config().context;
  std::vector<int32_t> text(prompt.begin(), prompt.end());
  if (text.empty()) {
    text.push_back(options.document_separator);
  }
  const RandomStream stream{options.seed, RandomPurpose::kSampling, 0};
  std::vector<GeneratedToken> generated;
  for (int64_t i = 0; i < options.tokens; ++i) {
    const int64_t seen = std::min(context, static_cast<int64_t>(text.size()));
    PassOptions think = options.think;
    think.first_row = i;
    const ThinkingTrace<T> thought =
        model.predict_next({text.data() + text.size() - seen, {seen}}, think);
    const Tensor<const T> logits{thought.logits.data(),
                                 {static_cast<int64_t>(thought.logits.size())}};
    const int32_t token = sample_token(logits, options.temperature, options.top_p,
                                       stream.uniform(static_cast<uint64_t>(i)));
    if (token == options.document_separator) {
      break;
    }
    text.push_back(token);
    generated.push_back(
        {token, probabilities(logits, 1)[static_cast<size_t>(token)], thought.energy});
    if (on_token) {
      on_token(generated.back());
    }
  }
  return generated;
}

template int32_t sample_token(Tensor<const float>, double, double, double);
template int32_t sample_token(Tensor<const double>, double, double, double);
template std::vector<GeneratedToken> generate(TextModel<float>&, std::span<const int32_t>,
                                              const GenerateOptions&,
                                              const std::function<void(const GeneratedToken&)>&);
template std::vector<GeneratedToken> generate(TextModel<double>&, std::span<const int32_t>,
                                              const GenerateOptions&,
                                              const std::function<void(const GeneratedToken&)>&);

}  // namespace ebt
