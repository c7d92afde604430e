// Power laws of scale, L(x) = c + a x^-b: how a loss falls with parameters, data or operations, and
// where two of them meet (Kaplan et al. 2020, arXiv 2001.08361; Hoffmann et al. 2022, arXiv
// 2203.15556).
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

namespace ebt {

// One run.
struct ScalePoint {
  double x = 0;  // what was scaled
  double loss = 0;
};

// Whether a law has the term c, below which no scale leads.
enum class IrreducibleLoss { kNone, kFitted };
// Constants that are fitted: a and b, or a, b and c.
inline int64_t constants_of(IrreducibleLoss irreducible) {
  return irreducible == IrreducibleLoss::kNone ? 2 : 3;
}

struct PowerLaw {
  double log_a = 0;  // natural logarithm: a itself can be too large for a double
  double b = 0;      // the slope
  double c = 0;      // >= 0

  double at(double x) const { return c + std::exp(log_a - b * std::log(x)); }
};

// The law whose logarithms are nearest to those of the losses, in squares: a straight line through
// (log x, log L) if c is not fitted, else the best that Levenberg-Marquardt finds from several c,
// c = 0 among them, so that it is never farther from the runs than the line. Runs that do not bend
// upwards in logarithms give c = 0. Throws Error for a run that is not of numbers above 0, or when
// the runs have fewer different x than there are constants.
PowerLaw fit_power_law(const std::vector<ScalePoint>& runs, IrreducibleLoss irreducible);

// log L - log of the law, run by run.
std::vector<double> log_residuals(const PowerLaw& law, const std::vector<ScalePoint>& runs);

// Where two laws meet between `least` and `most`; of two such x (there are no more) the one whose
// ratio to `near` is nearer 1.
std::optional<double> crossing_of(const PowerLaw& first, const PowerLaw& second, double least,
                                  double most, double near);

}  // namespace ebt
