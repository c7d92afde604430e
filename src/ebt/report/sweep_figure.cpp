#include "ebt/report/sweep_figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "ebt/report/chart.h"
#include "ebt/report/figure.h"

namespace ebt {
namespace {

constexpr double kFigureWidth = 960;
constexpr double kFigureHeight = 760;
constexpr double kPanelWidth = 462;
constexpr double kPanelHeight = 280;

ChartSeries curve(const std::string& label, int color, bool faint,
                  const std::vector<SweepPoint>& points, double SweepPoint::*value) {
  ChartSeries series;
  series.label = label;
  series.color = color;
  series.faint = faint;
  series.dots = true;
  for (const SweepPoint& point : points) {
    if (point.*value > 0) {
      series.points.emplace_back(point.x, point.*value);
    }
  }
  return series;
}

// A panel of curves: from zero, unless the values are too far apart to be read so.
std::string curves(const std::vector<ChartSeries>& series, ChartOptions options) {
  constexpr double kFarApart = 12;
  double low = 0;
  double high = 0;
  for (const ChartSeries& one : series) {
    for (const auto& [x, y] : one.points) {
      low = low == 0 ? y : std::min(low, y);
      high = std::max(high, y);
    }
  }
  options.log_y = high > kFarApart * low;
  options.zero_y = !options.log_y;
  return line_chart(series, options);
}

// Shares of the step in percent, one bar for each point. Phases that took no time are left out.
std::string shares(const std::vector<SweepPoint>& points, ChartOptions options) {
  constexpr int kGrey = 4;
  constexpr std::array<int, 7> kColors = {0, 1, 2, 3, 5, 6, 7};
  options.x_ticks.clear();
  for (size_t i = 0; i < points.size(); ++i) {
    options.x_ticks.emplace_back(static_cast<double>(i), points[i].label);
  }
  std::vector<ChartSeries> series;
  for (size_t phase = 0; phase < points[0].phases.size(); ++phase) {
    ChartSeries one;
    one.label = points[0].phases[phase].first;
    std::replace(one.label.begin(), one.label.end(), '_', ' ');
    one.color = one.label == "other" ? kGrey : kColors[phase % kColors.size()];
    double most = 0;
    for (size_t i = 0; i < points.size(); ++i) {
      const double percent = 100 * points[i].phases[phase].second / points[i].seconds;
      most = std::max(most, percent);
      one.points.emplace_back(static_cast<double>(i), percent);
    }
    if (most > 0) {
      series.push_back(std::move(one));
    }
  }
  return bar_chart(series, options);
}

}  // namespace

std::string sweep_figure(std::vector<SweepPoint> points, const SweepCaption& caption) {
  std::string svg = open_figure(
      kFigureWidth, kFigureHeight,
      fmt::format("A training step over {}: time, memory, and time by phase", caption.axis));
  svg += figure_note(24, kFigureHeight - 18, kFigureWidth - 48, caption.subject);
  if (points.empty()) {
    return svg + "</svg>\n";
  }
  std::sort(points.begin(), points.end(),
            [](const SweepPoint& a, const SweepPoint& b) { return a.x < b.x; });
  ChartOptions options;
  options.width = kPanelWidth;
  options.height = kPanelHeight;
  options.x_label = caption.axis;
  options.log_x = caption.log_x;
  for (const SweepPoint& point : points) {
    options.x_ticks.emplace_back(point.x, point.label);
  }

  svg += figure_head(24, 34, kPanelWidth - 12, "Time of a training step");
  options.title = "Seconds per step";
  options.y_label = "seconds";
  std::vector<ChartSeries> times = {curve(caption.series, 0, false, points, &SweepPoint::seconds),
                                    curve("its GEMMs", 4, true, points, &SweepPoint::gemm_seconds)};
  const ChartSeries baseline =
      curve("Transformer++", 1, false, points, &SweepPoint::baseline_seconds);
  if (!baseline.points.empty()) {
    times.push_back(baseline);
  }
  svg += placed_chart(12, 48, options.width, options.height, curves(times, options));

  svg += figure_head(500, 34, kPanelWidth - 12, "Memory");
  options.title = "Peak memory";
  options.y_label = "GiB";
  svg += placed_chart(488, 48, options.width, options.height,
                      curves({curve("peak", 0, false, points, &SweepPoint::peak_gib),
                              curve("planned", 4, true, points, &SweepPoint::planned_gib)},
                             options));

  svg += figure_head(24, 382, kFigureWidth - 48, "Where the time goes");
  options.title = "Share of every phase in a step";
  options.y_label = "% of the step";
  options.width = kFigureWidth - 24;
  options.height = 330;
  svg += placed_chart(12, 396, options.width, options.height, shares(points, options));
  return svg + "</svg>\n";
}

}  // namespace ebt
