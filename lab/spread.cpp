#include "lab/spread.h"

#include <fmt/format.h>

namespace ebt {

Spread::Spread(const std::vector<double>& values) : count(std::ssize(values)) {
  if (values.empty()) {
    return;
  }
  const auto number = static_cast<double>(count);
  for (const double value : values) {
    mean += value / number;
  }
  double squares = 0;
  for (const double value : values) {
    squares += (value - mean) * (value - mean);
  }
  deviation = count > 1 ? std::sqrt(squares / (number - 1)) : 0;
}

std::string in_words(const Spread& spread) {
  if (spread.count == 0) {
    return "—";
  }
  return spread.count == 1 ? fmt::format("{:.3f}", spread.mean)
                           : fmt::format("{:.3f} ± {:.3f}", spread.mean, spread.deviation);
}

Verdict verdict_of(const std::vector<double>& differences) {
  constexpr int64_t kFewest = 3;
  constexpr double kErrors = 2;
  const Spread spread(differences);
  if (spread.count == 0) {
    return Verdict::kNotMeasured;
  }
  if (spread.count < kFewest || std::abs(spread.mean) < kErrors * spread.standard_error() ||
      spread.mean == 0) {
    return Verdict::kUnclear;
  }
  return spread.mean > 0 ? Verdict::kYes : Verdict::kNo;
}

}  // namespace ebt
