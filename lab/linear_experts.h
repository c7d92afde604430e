// The smallest world in which a model can be better than everybody it learned from: a linear
// classifier, taught by noisy copies of the true one (Zhang et al., "Transcendence: Generative
// Models Can Outperform The Experts That Train Them", 2024, arXiv 2406.11741).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ebt {

struct LinearExpertsConfig {
  int64_t inputs = 100;          // D
  int64_t classes = 10;          // C
  int64_t experts = 5;           // M
  int64_t points = 10'000;       // N, to learn from
  int64_t test_points = 10'000;  // others
  double l2 = 1e-3;              // of the model, as in ProbeOptions
  uint64_t seed = 0;

  // Throws Error naming the first impossible field.
  void check() const;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("inputs", inputs, "numbers that a point has");
    visit("classes", classes, "classes that points are told apart into");
    visit("experts", experts, "noisy copies of the true classifier that label points");
    visit("points", points, "points that the model learns from, each labelled by a random expert");
    visit("test-points", test_points, "points with their true classes that all are measured on");
    visit("l2", l2, "times half the model's squared weights, beside its mean loss");
    visit("seed", seed, "of everything that is random");
  }
};

// An accuracy, and half of its 95 % confidence interval over test points: 1.96 deviations of what a
// point adds, divided by the root of the number of points. The classifiers are given: what another
// seed of them would change is not in it.
struct MeasuredAccuracy {
  double mean = 0;
  double half_width = 0;

  bool operator==(const MeasuredAccuracy&) const = default;
};

struct LinearExpertsResult {
  double deviation = 0;                   // sigma of the experts
  std::vector<MeasuredAccuracy> experts;  // (M)
  std::vector<double> temperatures;
  std::vector<MeasuredAccuracy> model;  // at each temperature

  // The one of the highest mean.
  const MeasuredAccuracy& best_expert() const;
  // Whether the model's interval at this temperature lies above that of the best expert.
  bool transcends(size_t temperature) const;

  bool operator==(const LinearExpertsResult&) const = default;
};

// Draws the true weights W* (C, D) ~ N(0, 1), experts W* + xi with xi ~ N(0, deviation^2) and
// points x ~ N(0, I); fits a softmax over linear logits (LinearProbe) to what the experts said;
// measures everybody on other points, whose class is argmax W* x. Experts answer with their argmax.
// At a temperature t > 0 the model's accuracy is expected: the mean share that softmax(logits / t)
// gives to the true class; at 0 it answers with its argmax. Draws do not depend on `deviation`, so
// that deviations are compared in the same world. Does not depend on the number of threads. Throws
// Error when a deviation or temperature is no number from 0, or the config is impossible.
LinearExpertsResult measure_linear_experts(const LinearExpertsConfig& config, double deviation,
                                           const std::vector<double>& temperatures);

}  // namespace ebt
