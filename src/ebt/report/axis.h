// Ticks of chart axes and their labels.
#pragma once

#include <string>
#include <vector>

namespace ebt {

// Values from `low` to `high` at which an axis is marked: about `wanted` multiples of 1, 2 or 5
// times a power of ten; on a logarithmic axis, unless it is short, those numbers themselves.
std::vector<double> axis_ticks(double low, double high, int wanted);
std::vector<double> log_axis_ticks(double low, double high);

// A number as axes and tables write it: "0.25", "15k", "2.5M", "1e9", "−3".
std::string chart_number(double value, int digits = 4);

// Rising numbers, with as many digits as it takes to tell neighbours apart.
std::vector<std::string> tick_labels(const std::vector<double>& ticks);

}  // namespace ebt
