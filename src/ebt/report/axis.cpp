#include "ebt/report/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace ebt {

std::vector<double> axis_ticks(double low, double high, int wanted) {
  const double rough = (high - low) / wanted;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  const double ratio = rough / power;
  const double step = power * (ratio < 1.5 ? 1 : ratio < 3.5 ? 2 : ratio < 7.5 ? 5 : 10);
  std::vector<double> ticks;
  const double first = std::ceil(low / step - 1e-9);
  const double last = std::floor(high / step + 1e-9);
  for (double i = first; i <= last; ++i) {
    ticks.push_back(i == 0 ? 0.0 : i * step);  // never -0
  }
  return ticks;
}

std::vector<double> log_axis_ticks(double low, double high) {
  // Over so short a distance powers of ten and their multiples are too few.
  constexpr double kShort = 4;
  if (high / low < kShort) {
    return axis_ticks(low, high, 5);
  }
  std::vector<double> ticks;
  const bool decades_only = std::log10(high / low) > 3;
  for (double power = std::pow(10.0, std::floor(std::log10(low))); power <= high; power *= 10) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double tick = factor * power;
      if (tick >= low && tick <= high && (factor == 1.0 || !decades_only)) {
        ticks.push_back(tick);
      }
    }
  }
  return ticks;
}

std::string chart_number(double value, int digits) {
  std::string suffix;
  const double size = std::abs(value);
  if (size >= 1e6 && size < 1e9) {
    value /= 1e6;
    suffix = "M";
  } else if (size >= 1e4 && size < 1e6) {
    value /= 1e3;
    suffix = "k";
  }
  std::string text = fmt::format("{:.{}g}{}", value, digits, suffix);
  if (const size_t exponent = text.find('e'); exponent != std::string::npos) {
    // "e+09" and "e-07" as "e9" and "e−7".
    const bool is_negative = text[exponent + 1] == '-';
    const size_t digit = exponent + (text[exponent + 2] == '0' ? 3 : 2);
    text.replace(exponent + 1, digit - exponent - 1, is_negative ? "\u2212" : "");
  }
  if (text[0] == '-') {
    text.replace(0, 1, "\u2212");
  }
  return text;
}

std::vector<std::string> tick_labels(const std::vector<double>& ticks) {
  constexpr int kMostDigits = 15;
  std::vector<std::string> labels(ticks.size());
  for (int digits = 4; digits <= kMostDigits; ++digits) {
    std::transform(ticks.begin(), ticks.end(), labels.begin(),
                   [&](double tick) { return chart_number(tick, digits); });
    if (std::adjacent_find(labels.begin(), labels.end()) == labels.end()) {
      break;
    }
  }
  return labels;
}

}  // namespace ebt
