#include "lab/linear_experts.h"

#include <algorithm>
#include <cmath>

#include "ebt/core/config_check.h"
#include "ebt/core/error.h"
#include "ebt/eval/linear_probe.h"
#include "lab/draws.h"

namespace ebt {
namespace {

// Which of the part's streams of random numbers.
enum class Stream : uint64_t { kTruth, kNoise, kPoints, kTestPoints, kWhoLabels };

std::vector<float> normals(uint64_t seed, Stream which, int64_t count) {
  std::vector<float> values(static_cast<size_t>(count));
  const uint64_t step =
      static_cast<uint64_t>(LabPart::kLinearExperts) << 32U | static_cast<uint64_t>(which);
  RandomStream{seed, RandomPurpose::kLab, step}.normal<float>(0, {values.data(), {count}}, 1.0F);
  return values;
}

// The class that weights (C, D) give a point (D): the lowest of equals.
int32_t class_of(const std::vector<double>& weights, const float* point, size_t inputs) {
  double highest = 0;
  int32_t best = 0;
  for (size_t k = 0; k * inputs < weights.size(); ++k) {
    double logit = 0;
    for (size_t i = 0; i < inputs; ++i) {
      logit += weights[k * inputs + i] * static_cast<double>(point[i]);
    }
    if (k == 0 || logit > highest) {
      highest = logit;
      best = static_cast<int32_t>(k);
    }
  }
  return best;
}

std::vector<int32_t> classes_of(const std::vector<double>& weights,
                                const std::vector<float>& points, size_t inputs) {
  std::vector<int32_t> classes(points.size() / inputs);
#pragma omp parallel for schedule(static)
  for (size_t i = 0; i < classes.size(); ++i) {
    classes[i] = class_of(weights, points.data() + i * inputs, inputs);
  }
  return classes;
}

// Of what every test point adds, between 0 and 1.
MeasuredAccuracy measured(const std::vector<double>& shares) {
  constexpr double kDeviations = 1.96;  // on either side of the mean, for 95 %
  const auto count = static_cast<double>(shares.size());
  double sum = 0;
  for (const double share : shares) {
    sum += share;
  }
  const double mean = sum / count;
  double squares = 0;
  for (const double share : shares) {
    squares += (share - mean) * (share - mean);
  }
  return {mean, kDeviations * std::sqrt(squares / count / count)};
}

// The probability of class `wanted`, which for temperature 0 is 0 or 1.
double share_of(const float* logits, int64_t classes, int32_t wanted, double temperature) {
  const float* highest = std::max_element(logits, logits + classes);
  if (temperature == 0) {
    return highest - logits == wanted ? 1 : 0;
  }
  double sum = 0;
  for (int64_t k = 0; k < classes; ++k) {
    sum += std::exp(static_cast<double>(logits[k] - *highest) / temperature);
  }
  return std::exp(static_cast<double>(logits[wanted] - *highest) / temperature) / sum;
}

}  // namespace

void LinearExpertsConfig::check() const {
  constexpr int64_t kMost = 1'000'000;
  check_between("--inputs", inputs, 1, 10'000);
  check_between("--classes", classes, 2, 1000);
  check_between("--experts", experts, 1, 10'000);
  check_between("--points", points, 1, kMost);
  check_between("--test-points", test_points, 1, kMost);
  EBT_CHECK(l2 >= 0 && std::isfinite(l2), "--l2: {} is not a number from 0", l2);
}

const MeasuredAccuracy& LinearExpertsResult::best_expert() const {
  return *std::max_element(
      experts.begin(), experts.end(),
      [](const MeasuredAccuracy& a, const MeasuredAccuracy& b) { return a.mean < b.mean; });
}

bool LinearExpertsResult::transcends(size_t temperature) const {
  const MeasuredAccuracy& best = best_expert();
  const MeasuredAccuracy& own = model[temperature];
  return own.mean - own.half_width > best.mean + best.half_width;
}

LinearExpertsResult measure_linear_experts(const LinearExpertsConfig& config, double deviation,
                                           const std::vector<double>& temperatures) {
  config.check();
  EBT_CHECK(deviation >= 0 && std::isfinite(deviation),
            "linear experts: their deviation {} is not a number from 0", deviation);
  for (const double temperature : temperatures) {
    EBT_CHECK(temperature >= 0 && std::isfinite(temperature),
              "linear experts: the temperature {} is not a number from 0", temperature);
  }
  const auto inputs = static_cast<size_t>(config.inputs);
  const int64_t weight_count = config.classes * config.inputs;
  const std::vector<float> drawn = normals(config.seed, Stream::kTruth, weight_count);
  const std::vector<double> truth(drawn.begin(), drawn.end());
  const std::vector<float> noise =
      normals(config.seed, Stream::kNoise, config.experts * weight_count);
  ProbeData test{config.inputs,
                 normals(config.seed, Stream::kTestPoints, config.test_points * config.inputs),
                 {}};
  test.classes = classes_of(truth, test.features, inputs);
  ProbeData training{config.inputs,
                     normals(config.seed, Stream::kPoints, config.points * config.inputs),
                     std::vector<int32_t>(static_cast<size_t>(config.points))};
  std::vector<int64_t> labelled_by;
  Draws who(config.seed, LabPart::kLinearExperts, static_cast<uint64_t>(Stream::kWhoLabels));
  for (int64_t i = 0; i < config.points; ++i) {
    labelled_by.push_back(who.below(config.experts));
  }

  LinearExpertsResult result{deviation, {}, temperatures, {}};
  std::vector<double> shares(test.classes.size());
  for (int64_t expert = 0; expert < config.experts; ++expert) {
    std::vector<double> weights = truth;
    for (size_t i = 0; i < weights.size(); ++i) {
      weights[i] +=
          deviation * static_cast<double>(noise[static_cast<size_t>(expert) * weights.size() + i]);
    }
    const std::vector<int32_t> answers = classes_of(weights, test.features, inputs);
    for (size_t i = 0; i < shares.size(); ++i) {
      shares[i] = answers[i] == test.classes[i] ? 1 : 0;
    }
    result.experts.push_back(measured(shares));
    for (size_t i = 0; i < labelled_by.size(); ++i) {
      if (labelled_by[i] == expert) {
        training.classes[i] = class_of(weights, training.features.data() + i * inputs, inputs);
      }
    }
  }

  const LinearProbe probe(training, config.classes, {.l2 = config.l2}, nullptr);
  const std::vector<float> logits = probe.logits(test);
  for (const double temperature : temperatures) {
    for (size_t i = 0; i < shares.size(); ++i) {
      shares[i] = share_of(logits.data() + static_cast<int64_t>(i) * config.classes, config.classes,
                           test.classes[i], temperature);
    }
    result.model.push_back(measured(shares));
  }
  return result;
}

}  // namespace ebt
