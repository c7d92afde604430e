// Isotonic regression: the rising function that is nearest to some observations.
#pragma once

#include <cstdint>
#include <vector>

namespace ebt {

// `weight` observations at x, whose mean is `value`.
struct Observation {
  double x = 0;
  double value = 0;
  double weight = 1;
};

// The observations by rising x, those of equal x made one, each with the value of the rising
// function f that minimises the sum of weight * (value - f(x))^2: pool adjacent violators (Ayer et
// al. 1955), in time O(n log n).
std::vector<Observation> isotonic_regression(std::vector<Observation> observations);

// A summary of what isotonic_regression gave: at most `knots` points, each the means of x and value
// over consecutive observations of about equal weight. Their x rise, and their values do not fall.
std::vector<Observation> isotonic_knots(const std::vector<Observation>& fitted, int64_t knots);

}  // namespace ebt
