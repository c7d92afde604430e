#include "ebt/think/thinking_draws.h"

#include <algorithm>

namespace ebt {
namespace {

// Thinking steps have streams of their own: more than ThinkingSettings and configs admit.
constexpr uint64_t kStepsPerTrainingStep = 1'000'000;

}  // namespace

std::vector<int64_t> landscapes_of(const std::vector<int64_t>& repeats) {
  std::vector<int64_t> landscapes;
  for (size_t landscape = 0; landscape < repeats.size(); ++landscape) {
    landscapes.insert(landscapes.end(), static_cast<size_t>(repeats[landscape]),
                      static_cast<int64_t>(landscape));
  }
  return landscapes;
}

std::vector<int64_t> inference_landscapes(int64_t landscapes, const ThinkingSettings& thinking,
                                          int64_t steps) {
  if (steps == 0) {
    steps = landscapes * thinking.steps_max;
  }
  std::vector<int64_t> plan;
  for (int64_t i = 0; i < steps; ++i) {
    plan.push_back(std::min(i / thinking.steps_max, landscapes - 1));
  }
  return plan;
}

template <class T>
ThinkingDraws<T> training_draws(const ThinkingSettings& thinking, int64_t landscapes,
                                const DrawAddress& address) {
  ThinkingDraws<T> draws;
  draws.langevin = [=](int64_t step, int64_t first, Tensor<T> out) {
    const uint64_t stream =
        address.training_step * kStepsPerTrainingStep + static_cast<uint64_t>(step);
    RandomStream{address.seed, RandomPurpose::kLangevin, stream}.normal(
        static_cast<uint64_t>((address.first + first) * address.size), out, T(1));
  };
  draws.step_size = [=](int64_t first, Tensor<T> out) {
    RandomStream{address.seed, RandomPurpose::kStepSize, address.training_step}.uniform(
        static_cast<uint64_t>(address.first + first), out);
  };
  const RandomStream counts{address.seed, RandomPurpose::kStepCount, address.training_step};
  const auto choices = static_cast<uint64_t>(thinking.steps_max - thinking.steps_min + 1);
  std::vector<int64_t> repeats;
  for (int64_t i = 0; i < landscapes; ++i) {
    repeats.push_back(thinking.steps_min +
                      static_cast<int64_t>(counts.below(choices, static_cast<uint64_t>(i))));
  }
  draws.landscapes = landscapes_of(repeats);
  return draws;
}

template ThinkingDraws<float> training_draws(const ThinkingSettings&, int64_t, const DrawAddress&);
template ThinkingDraws<double> training_draws(const ThinkingSettings&, int64_t, const DrawAddress&);

}  // namespace ebt
