#include "lab/power_law_intervals.h"

#include <algorithm>
#include <cmath>

#include "ebt/core/error.h"
#include "lab/draws.h"

namespace ebt {
namespace {

// The probability that a Student variable of so many degrees is between -t and t (Abramowitz and
// Stegun, 26.7.3 and 26.7.4).
double student_within(double t, int64_t degrees) {
  const double angle = std::atan(t / std::sqrt(static_cast<double>(degrees)));
  const double square = std::cos(angle) * std::cos(angle);
  const bool odd = degrees % 2 == 1;
  double term = odd ? std::cos(angle) : 1;
  double sum = degrees == 1 ? 0 : term;
  for (int64_t i = odd ? 3 : 2; i < degrees; i += 2) {
    term *= square * static_cast<double>(i - 1) / static_cast<double>(i);
    sum += term;
  }
  constexpr double kHalfTurn = 3.14159265358979323846;
  return odd ? 2 / kHalfTurn * (angle + std::sin(angle) * sum) : std::sin(angle) * sum;
}

// The share of resamples below an interval, and above it.
double tail_of(double confidence, int64_t degrees) {
  constexpr int kHalvings = 100;
  double low = 0;
  double high = 1e6;
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (low + high) / 2;
    (student_within(middle, degrees) < confidence ? low : high) = middle;
  }
  return std::erfc(low / std::sqrt(2.0)) / 2;
}

Interval interval_of(std::vector<double> values, double tail) {
  std::sort(values.begin(), values.end());
  const auto percentile = [&](double share) {
    const double at = share * static_cast<double>(values.size() - 1);
    const auto below = static_cast<size_t>(at);
    const size_t above = std::min(below + 1, values.size() - 1);
    return values[below] + (values[above] - values[below]) * (at - std::floor(at));
  };
  return {percentile(tail), percentile(1 - tail)};
}

template <class Member>
Interval interval_of(const std::vector<PowerLaw>& laws, Member member, double tail) {
  std::vector<double> values;
  values.reserve(laws.size());
  for (const PowerLaw& law : laws) {
    values.push_back(law.*member);
  }
  return interval_of(std::move(values), tail);
}

// A law, and those of resampled runs.
struct Bootstrap {
  PowerLaw law;
  double log_deviation = 0;
  int64_t degrees = 0;  // of freedom that the noise was measured with
  std::vector<PowerLaw> laws;

  PowerLawEstimate estimate(double confidence) const {
    const double tail = tail_of(confidence, degrees);
    return {law, interval_of(laws, &PowerLaw::log_a, tail), interval_of(laws, &PowerLaw::b, tail),
            interval_of(laws, &PowerLaw::c, tail), log_deviation};
  }
};

void check(const BootstrapOptions& options) {
  EBT_CHECK(options.resamples >= 100 && options.resamples <= 1'000'000,
            "bootstrap: {} resamples are not between 100 and a million", options.resamples);
  EBT_CHECK(options.confidence > 0 && options.confidence < 1,
            "bootstrap: a confidence of {} is not between 0 and 1", options.confidence);
  EBT_CHECK(options.reach >= 1 && std::isfinite(options.reach),
            "bootstrap: a reach of {} is not a number from 1", options.reach);
}

// `which` of the two sets of a comparison.
Bootstrap bootstrap(const std::vector<ScalePoint>& runs, IrreducibleLoss irreducible,
                    const BootstrapOptions& options, uint64_t which) {
  Bootstrap result;
  result.law = fit_power_law(runs, irreducible);
  const auto count = static_cast<int64_t>(runs.size());
  result.degrees = count - constants_of(irreducible);
  EBT_CHECK(result.degrees > 0,
            "power law: intervals of {} constants need more than {} runs, and there are {}",
            constants_of(irreducible), constants_of(irreducible), count);
  std::vector<double> noise = log_residuals(result.law, runs);
  const double enlarged =
      std::sqrt(static_cast<double>(count) / static_cast<double>(result.degrees));
  double squares = 0;
  for (double& one : noise) {
    one *= enlarged;
    squares += one * one;
  }
  result.log_deviation = std::sqrt(squares / static_cast<double>(count));
  std::vector<ScalePoint> again = runs;
  for (int64_t i = 0; i < options.resamples; ++i) {
    Draws draws(options.seed, LabPart::kBootstrap, 2 * static_cast<uint64_t>(i) + which);
    for (ScalePoint& run : again) {
      run.loss = result.law.at(run.x) * std::exp(draws.pick(noise));
    }
    result.laws.push_back(fit_power_law(again, irreducible));
  }
  return result;
}

}  // namespace

PowerLawEstimate estimate_power_law(const std::vector<ScalePoint>& runs,
                                    IrreducibleLoss irreducible, const BootstrapOptions& options) {
  check(options);
  return bootstrap(runs, irreducible, options, 0).estimate(options.confidence);
}

PowerLawComparison compare_power_laws(const std::vector<ScalePoint>& first,
                                      const std::vector<ScalePoint>& second,
                                      IrreducibleLoss irreducible,
                                      const BootstrapOptions& options) {
  check(options);
  const Bootstrap a = bootstrap(first, irreducible, options, 0);
  const Bootstrap b = bootstrap(second, irreducible, options, 1);
  const double tail = tail_of(options.confidence, std::min(a.degrees, b.degrees));
  double least = first.front().x;
  double most = least;
  for (const auto* runs : {&first, &second}) {
    for (const ScalePoint& run : *runs) {
      least = std::min(least, run.x);
      most = std::max(most, run.x);
    }
  }
  const auto crossing = [&](const PowerLaw& one, const PowerLaw& other) {
    return crossing_of(one, other, least / options.reach, most * options.reach,
                       std::sqrt(least) * std::sqrt(most));
  };
  PowerLawComparison result;
  result.first = a.estimate(options.confidence);
  result.second = b.estimate(options.confidence);
  result.slope_ratio = a.law.b / b.law.b;
  result.crossing.x = crossing(a.law, b.law);
  std::vector<double> ratios;
  std::vector<double> crossings;
  for (size_t i = 0; i < a.laws.size(); ++i) {
    ratios.push_back(a.laws[i].b / b.laws[i].b);
    if (const auto x = crossing(a.laws[i], b.laws[i])) {
      crossings.push_back(*x);
    }
  }
  result.slope_ratio_interval = interval_of(ratios, tail);
  result.crossing.share =
      static_cast<double>(crossings.size()) / static_cast<double>(a.laws.size());
  if (result.crossing.x && result.crossing.share >= options.confidence) {
    result.crossing.interval = interval_of(crossings, tail);
  }
  return result;
}

}  // namespace ebt
