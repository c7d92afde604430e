// L-BFGS: minimises a smooth convex function of many variables.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace ebt {

// The function at `x`; also writes its gradient, which has the size of x.
using SmoothFunction =
    std::function<double(const std::vector<double>& x, std::vector<double>& gradient)>;

struct MinimizeOptions {
  int64_t iterations = 300;      // at most
  double gradient_share = 1e-4;  // done when the gradient's norm is this share of the first one
};

struct Minimum {
  std::vector<double> x;
  double value = 0;
  int64_t iterations = 0;
};

// L-BFGS (Nocedal, 1980) with ten pairs, and a line search that halves its step until the function
// falls enough (Armijo). It also ends where no step makes the function fall: at the precision of
// the function. `on_iteration` (may be empty) is told its number, counted from 1, and the value.
Minimum minimize(const SmoothFunction& function, std::vector<double> start,
                 const MinimizeOptions& options,
                 const std::function<void(int64_t iteration, double value)>& on_iteration);

}  // namespace ebt
