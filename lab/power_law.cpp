#include "lab/power_law.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "ebt/core/error.h"

namespace ebt {
namespace {

void check(const std::vector<ScalePoint>& runs, IrreducibleLoss irreducible) {
  std::set<double> different;
  for (const ScalePoint& run : runs) {
    EBT_CHECK(run.x > 0 && std::isfinite(run.x) && run.loss > 0 && std::isfinite(run.loss),
              "power law: a run of loss {} at {} is not of two numbers above 0", run.loss, run.x);
    different.insert(run.x);
  }
  EBT_CHECK(static_cast<int64_t>(different.size()) >= constants_of(irreducible),
            "power law: {} constants cannot be fitted to runs at {} different x",
            constants_of(irreducible), different.size());
}

// Runs as logarithms, those of x around their mean so that the constants hardly depend on each
// other.
struct LogRun {
  double x, loss;
};

// f(x) = root_c^2 + exp(alpha - b x) of a LogRun's x: c cannot be negative.
struct Constants {
  double alpha = 0, b = 0, root_c = 0;
};

double sum_of_squares(const std::vector<LogRun>& runs, const Constants& k) {
  double sum = 0;
  for (const LogRun& run : runs) {
    const double residual =
        run.loss - std::log(k.root_c * k.root_c + std::exp(k.alpha - k.b * run.x));
    sum += residual * residual;
  }
  return sum;
}

// The line through the logarithms of L - c.
Constants line_above(const std::vector<LogRun>& runs, double c) {
  double mean = 0;
  for (const LogRun& run : runs) {
    mean += std::log(std::exp(run.loss) - c) / static_cast<double>(runs.size());
  }
  double together = 0;
  double square = 0;
  for (const LogRun& run : runs) {
    together += run.x * (std::log(std::exp(run.loss) - c) - mean);
    square += run.x * run.x;
  }
  return {mean, -together / square, std::sqrt(c)};
}

using Matrix = std::array<std::array<double, 4>, 3>;  // three equations and their right sides

// Gaussian elimination; the matrix is symmetric and positive.
std::array<double, 3> solved(Matrix m) {
  for (size_t i = 0; i < 3; ++i) {
    for (size_t row = i + 1; row < 3; ++row) {
      const double factor = m[row][i] / m[i][i];
      for (size_t j = i; j < 4; ++j) {
        m[row][j] -= factor * m[i][j];
      }
    }
  }
  std::array<double, 3> x{};
  for (size_t i = 3; i-- > 0;) {
    x[i] = m[i][3];
    for (size_t j = i + 1; j < 3; ++j) {
      x[i] -= m[i][j] * x[j];
    }
    x[i] /= m[i][i];
  }
  return x;
}

// Levenberg-Marquardt (Marquardt, 1963) from `k`.
std::pair<Constants, double> refined(const std::vector<LogRun>& runs, Constants k) {
  constexpr int kIterations = 200;
  constexpr double kEnough = 1e-13;     // of the sum of squares
  constexpr double kNoProgress = 1e12;  // damping at which no step helps
  double sum = sum_of_squares(runs, k);
  double damping = 1e-3;
  for (int iteration = 0; iteration < kIterations && damping < kNoProgress; ++iteration) {
    Matrix equations{};
    for (const LogRun& run : runs) {
      const double power = std::exp(k.alpha - k.b * run.x);
      const double f = k.root_c * k.root_c + power;
      const double residual = run.loss - std::log(f);
      const std::array<double, 3> slopes = {power / f, -run.x * power / f, 2 * k.root_c / f};
      for (size_t i = 0; i < 3; ++i) {
        for (size_t j = 0; j < 3; ++j) {
          equations[i][j] += slopes[i] * slopes[j];
        }
        equations[i][3] += slopes[i] * residual;
      }
    }
    for (size_t i = 0; i < 3; ++i) {
      equations[i][i] = equations[i][i] * (1 + damping) + 1e-30;
    }
    const std::array<double, 3> step = solved(equations);
    const Constants next = {k.alpha + step[0], k.b + step[1], k.root_c + step[2]};
    const double next_sum = sum_of_squares(runs, next);
    if (!(next_sum < sum)) {  // also where it is not a number
      damping *= 10;
      continue;
    }
    const bool enough = sum - next_sum <= kEnough * sum;
    k = next;
    sum = next_sum;
    damping = std::max(damping / 10, 1e-12);
    if (enough) {
      break;
    }
  }
  return {k, sum};
}

}  // namespace

PowerLaw fit_power_law(const std::vector<ScalePoint>& runs, IrreducibleLoss irreducible) {
  check(runs, irreducible);
  double mean = 0;
  double lowest = runs.front().loss;
  for (const ScalePoint& run : runs) {
    mean += std::log(run.x) / static_cast<double>(runs.size());
    lowest = std::min(lowest, run.loss);
  }
  std::vector<LogRun> logs;
  logs.reserve(runs.size());
  for (const ScalePoint& run : runs) {
    logs.push_back({std::log(run.x) - mean, std::log(run.loss)});
  }
  Constants best = line_above(logs, 0);
  if (irreducible == IrreducibleLoss::kFitted) {
    double least = sum_of_squares(logs, best);
    for (const double share : {0.1, 0.4, 0.7, 0.9, 0.98}) {
      const auto [candidate, sum] = refined(logs, line_above(logs, share * lowest));
      if (sum < least) {
        best = candidate;
        least = sum;
      }
    }
  }
  return {best.alpha + best.b * mean, best.b, best.root_c * best.root_c};
}

std::vector<double> log_residuals(const PowerLaw& law, const std::vector<ScalePoint>& runs) {
  std::vector<double> residuals;
  residuals.reserve(runs.size());
  for (const ScalePoint& run : runs) {
    residuals.push_back(std::log(run.loss) - std::log(law.at(run.x)));
  }
  return residuals;
}

std::optional<double> crossing_of(const PowerLaw& first, const PowerLaw& second, double least,
                                  double most, double near) {
  constexpr int kHalvings = 100;
  // All in logarithms of x.
  const auto gap = [&](double x) {
    return first.c - second.c + std::exp(first.log_a - first.b * x) -
           std::exp(second.log_a - second.b * x);
  };
  std::vector<double> ends = {std::log(least), std::log(most)};
  // The gap rises or falls up to where both laws are equally steep, and turns there.
  if (first.b * second.b > 0 && first.b != second.b) {
    const double turn =
        (second.log_a - first.log_a + std::log(second.b / first.b)) / (second.b - first.b);
    if (turn > ends.front() && turn < ends.back()) {
      ends.insert(ends.begin() + 1, turn);
    }
  }
  std::optional<double> found;
  for (size_t i = 0; i + 1 < ends.size(); ++i) {
    double low = ends[i];
    double high = ends[i + 1];
    const bool falls = gap(low) > 0;
    if (falls == (gap(high) > 0)) {
      continue;
    }
    for (int halving = 0; halving < kHalvings; ++halving) {
      const double middle = low + (high - low) / 2;
      (falls == (gap(middle) > 0) ? low : high) = middle;
    }
    const double x = low + (high - low) / 2;
    if (!found || std::abs(x - std::log(near)) < std::abs(*found - std::log(near))) {
      found = x;
    }
  }
  return found ? std::optional(std::exp(*found)) : std::nullopt;
}

}  // namespace ebt
