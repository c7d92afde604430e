#include "ebt/eval/lbfgs.h"

#include <cmath>
#include <cstddef>
#include <deque>
#include <utility>

namespace ebt {
namespace {

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    sum += a[i] * b[i];
  }
  return sum;
}

// to += factor * from
void add(double factor, const Vector& from, Vector& to) {
  for (size_t i = 0; i < to.size(); ++i) {
    to[i] += factor * from[i];
  }
}

// How far a step went, and how the gradient changed with it.
struct Pair {
  Vector step;
  Vector change;
  double curvature;  // of both
};

// -H gradient, where H approximates the inverse of the second derivative: the two loops over the
// pairs, newest first and then oldest first.
Vector direction_of(const Vector& gradient, const std::deque<Pair>& pairs) {
  Vector direction = gradient;
  Vector shares;
  for (const Pair& pair : pairs) {
    shares.push_back(dot(pair.step, direction) / pair.curvature);
    add(-shares.back(), pair.change, direction);
  }
  if (!pairs.empty()) {
    const double scale = pairs.front().curvature / dot(pairs.front().change, pairs.front().change);
    for (double& value : direction) {
      value *= scale;
    }
  }
  for (size_t i = pairs.size(); i-- > 0;) {
    add(shares[i] - dot(pairs[i].change, direction) / pairs[i].curvature, pairs[i].step, direction);
  }
  for (double& value : direction) {
    value = -value;
  }
  return direction;
}

}  // namespace

Minimum minimize(const SmoothFunction& function, std::vector<double> start,
                 const MinimizeOptions& options,
                 const std::function<void(int64_t iteration, double value)>& on_iteration) {
  constexpr size_t kPairs = 10;
  constexpr double kEnough = 1e-4;  // of the fall that the slope promises
  constexpr int kHalvings = 30;
  Minimum minimum{std::move(start), 0, 0};
  Vector gradient(minimum.x.size());
  minimum.value = function(minimum.x, gradient);
  const double goal = options.gradient_share * std::sqrt(dot(gradient, gradient));
  std::deque<Pair> pairs;  // newest first
  Vector x;
  Vector next_gradient(gradient.size());
  while (minimum.iterations < options.iterations && std::sqrt(dot(gradient, gradient)) > goal) {
    const Vector direction = direction_of(gradient, pairs);
    const double slope = dot(gradient, direction);
    // The first direction is the gradient's, whose length says nothing of how far to go.
    double step = pairs.empty() ? 1 / std::sqrt(dot(gradient, gradient)) : 1;
    double value = 0;
    bool falls = false;
    for (int i = 0; i < kHalvings && !falls; ++i, step /= 2) {
      x = minimum.x;
      add(step, direction, x);
      value = function(x, next_gradient);
      falls = value <= minimum.value + kEnough * step * slope;
    }
    if (!falls) {
      break;
    }
    Pair pair{x, next_gradient, 0};
    add(-1, minimum.x, pair.step);
    add(-1, gradient, pair.change);
    pair.curvature = dot(pair.step, pair.change);
    if (pair.curvature > 0) {
      pairs.push_front(std::move(pair));
      if (pairs.size() > kPairs) {
        pairs.pop_back();
      }
    }
    std::swap(minimum.x, x);
    std::swap(gradient, next_gradient);
    minimum.value = value;
    ++minimum.iterations;
    if (on_iteration) {
      on_iteration(minimum.iterations, value);
    }
  }
  return minimum;
}

}  // namespace ebt
