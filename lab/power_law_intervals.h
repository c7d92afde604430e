// How far fits of power laws can be trusted: intervals by the bootstrap.
//
// Sizes are chosen and not drawn, so what is drawn again is the noise: a resample has the runs'
// own x, and as losses those of the fitted law times exp(r), with r drawn with replacement from the
// residuals of all runs, enlarged by sqrt(n / (n - p)) for the p constants that were fitted to n
// runs (Efron and Tibshirani, 1993). This takes the noise of log L to be the same at every scale.
// An interval lies between two percentiles of what is fitted to the resamples. Percentiles are
// those that make a normal distribution as wide as a Student distribution of n - p degrees
// (Hesterberg, 2015): few runs say little about how large the noise is, and plain percentiles
// would be too narrow.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "lab/power_law.h"

namespace ebt {

struct BootstrapOptions {
  int64_t resamples = 10'000;
  double confidence = 0.95;
  double reach = 1000;  // how far beyond the runs, as a factor, crossings are looked for
  uint64_t seed = 0;
};

struct Interval {
  double low = 0;
  double high = 0;

  bool contains(double value) const { return low <= value && value <= high; }
};

struct PowerLawEstimate {
  PowerLaw law;
  Interval log_a, b, c;      // c: [0, 0] where it is not fitted
  double log_deviation = 0;  // of the noise: residual standard deviation of log L
};

// Throws Error as fit_power_law does, when there are no more runs than constants, or for impossible
// options.
PowerLawEstimate estimate_power_law(const std::vector<ScalePoint>& runs,
                                    IrreducibleLoss irreducible, const BootstrapOptions& options);

// Where two laws meet.
struct Crossing {
  std::optional<double> x;           // absent: not within reach
  double share = 0;                  // of resamples in which the laws meet within reach
  std::optional<Interval> interval;  // of those; absent where they are too few: below `confidence`
};

struct PowerLawComparison {
  PowerLawEstimate first, second;
  double slope_ratio = 0;  // b of the first over that of the second
  Interval slope_ratio_interval;
  Crossing crossing;
};

// Both sets of runs are drawn again independently. Where there are several crossings, that nearest
// to the (geometric) middle of all runs counts.
PowerLawComparison compare_power_laws(const std::vector<ScalePoint>& first,
                                      const std::vector<ScalePoint>& second,
                                      IrreducibleLoss irreducible, const BootstrapOptions& options);

}  // namespace ebt
