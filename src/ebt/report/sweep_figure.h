// The figure of a benchmark sweep.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace ebt {

// What was measured with one of the swept values.
struct SweepPoint {
  std::string label;  // the value, as the axis shows it
  double x = 0;       // its place on the axis
  double seconds = 0;
  double baseline_seconds = 0;  // 0: none was measured
  double gemm_seconds = 0;
  double peak_gib = 0;
  double planned_gib = 0;
  std::vector<std::pair<std::string, double>> phases;  // name and seconds; the same for all points
};

struct SweepCaption {
  std::string axis;     // "vocabulary"
  std::string subject;  // what was measured, in words
  std::string series;   // what is called so in the figure: "EBT"
  bool log_x = true;
};

// A standalone SVG: seconds per step and memory over the swept value, and the shares of the phases.
// Points may come in any order.
std::string sweep_figure(std::vector<SweepPoint> points, const SweepCaption& caption);

}  // namespace ebt
