// Line and bar charts as SVG, drawn without a plotting library so that a report is one file.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ebt/report/axis.h"

namespace ebt {

// How a series is drawn: colour is never the only sign, for each ends in its own label.
struct ChartSeries {
  std::string label;  // written at the end of the line; empty: none
  std::vector<std::pair<double, double>> points;
  int color = 0;       // 0..7 of the palette
  bool faint = false;  // a thin line behind the others
  bool dots = false;   // mark the points, with their values as tooltips
  bool cloud = false;  // only small dots: many measurements, of which none matters by itself
};

struct ChartOptions {
  std::string title;  // for screen readers
  std::string x_label;
  std::string y_label;
  double width = 520;
  double height = 320;
  bool log_x = false;         // all values must be positive
  bool log_y = false;         // likewise
  bool zero_y = false;        // y begins at zero
  bool whole_x_ticks = true;  // x counts something
  // Where to mark the x axis, and what to write there; empty: at round numbers.
  std::vector<std::pair<double, std::string>> x_ticks;
};

// An <svg> element that scales to its container and shows without a style sheet. Points that are
// not finite are left out, and so is the text of a mark that would touch the one before it.
std::string line_chart(const std::vector<ChartSeries>& series, const ChartOptions& options);

// Likewise, one bar at each place 0, 1, ... of x, in which every series is a segment upon those of
// the series before it. Values are sizes of segments, from 0. Labels stand beside the last bar.
std::string bar_chart(const std::vector<ChartSeries>& series, const ChartOptions& options);

// The CSS rules of charts, above all their dark colours: belongs once into a page, or into a
// standalone SVG.
std::string chart_style();

}  // namespace ebt
