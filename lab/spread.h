// Mean and standard deviation over seeds.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "lab/lab_report.h"

namespace ebt {

// Mean and standard deviation over seeds. Deviation 0 with fewer than two.
struct Spread {
  int64_t count = 0;
  double mean = 0;
  double deviation = 0;

  explicit Spread(const std::vector<double>& values);
  double standard_error() const {
    return count > 0 ? deviation / std::sqrt(static_cast<double>(count)) : 0;
  }
};

// "0.512 ± 0.013", "0.512" of one seed, "—" of none.
std::string in_words(const Spread& spread);

// Whether differences of pairs show that something is larger: yes or no where the mean is at least
// two standard errors from zero, else, and with fewer than three pairs, unclear.
Verdict verdict_of(const std::vector<double>& differences);

}  // namespace ebt
