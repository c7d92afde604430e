#include "ebt/report/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "ebt/report/colors.h"
#include "ebt/report/markup.h"
#include "ebt/report/text_width.h"

namespace ebt {
namespace {

// Of labels at the ends of lines, of the names of axes, and of their marks.
constexpr double kLabelSize = 13;
constexpr double kNameSize = 12.5;
constexpr double kMarkSize = 12;
// Margins; the left one at least, where the marks of the y axis do not need more.
constexpr double kLeft = 58;
constexpr double kRight = 16;
constexpr double kTop = 14;
constexpr double kBottom = 46;

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void include(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  double span() const { return high - low; }
};

// Maps values to the drawing area.
struct Frame {
  Range x, y;
  bool log_x = false;
  bool log_y = false;
  double left = 0, right = 0, top = 0, bottom = 0;

  double to_x(double value) const { return left + share(value, x, log_x) * (right - left); }
  double to_y(double value) const { return bottom - share(value, y, log_y) * (bottom - top); }
  bool can_draw(const std::pair<double, double>& point) const {
    return std::isfinite(point.first) && std::isfinite(point.second) &&
           (!log_x || point.first > 0) && (!log_y || point.second > 0);
  }

 private:
  static double share(double value, const Range& range, bool log) {
    return log ? std::log(value / range.low) / std::log(range.high / range.low)
               : (value - range.low) / range.span();
  }
};

// The ranges of all points; y gets some air, and no range is empty.
void fit(const std::vector<ChartSeries>& series, bool zero_y, Frame& frame) {
  for (const ChartSeries& one : series) {
    for (const auto& point : one.points) {
      if (frame.can_draw(point)) {
        frame.x.include(point.first);
        frame.y.include(point.second);
      }
    }
  }
  if (!(frame.x.low <= frame.x.high)) {
    frame.x = {frame.log_x ? 0.5 : 0.0, 1};
    frame.y = {frame.log_y ? 1.0 : 0.0, 10};
  }
  if (frame.x.span() <= 0) {
    frame.x = frame.log_x ? Range{frame.x.low / 2, frame.x.high * 2}
                          : Range{frame.x.low - 0.5, frame.x.high + 0.5};
  }
  if (frame.log_y) {
    frame.y = {frame.y.low / 1.1, frame.y.high * 1.1};
  } else if (frame.y.span() <= 0) {
    const double value = frame.y.low;
    frame.y = value == 0 ? Range{0, 1} : Range{std::min(0.0, 2 * value), std::max(0.0, 2 * value)};
  } else {
    const double scale = std::max(std::abs(frame.y.low), std::abs(frame.y.high));
    const double air = std::max({0.06 * frame.y.span(), 1e-6 * scale, 1e-9});
    frame.y = {zero_y ? 0.0 : frame.y.low - air, frame.y.high + air};
  }
}

// Values at which an axis is marked, and what is written there.
using Marks = std::vector<std::pair<double, std::string>>;

Marks marks_at(const std::vector<double>& values) {
  const std::vector<std::string> labels = tick_labels(values);
  Marks marks;
  for (size_t i = 0; i < values.size(); ++i) {
    marks.emplace_back(values[i], labels[i]);
  }
  return marks;
}

Marks x_marks(const Frame& frame, const ChartOptions& options) {
  if (!options.x_ticks.empty()) {
    return options.x_ticks;
  }
  std::vector<double> values = frame.log_x ? log_axis_ticks(frame.x.low, frame.x.high)
                                           : axis_ticks(frame.x.low, frame.x.high, 5);
  if (options.whole_x_ticks) {
    std::erase_if(values, [](double value) { return value != std::floor(value); });
  }
  return marks_at(values);
}

Marks y_marks(const Frame& frame) {
  return marks_at(frame.log_y ? log_axis_ticks(frame.y.low, frame.y.high)
                              : axis_ticks(frame.y.low, frame.y.high, 5));
}

// A label as it is drawn: whole, unless it would take too much of the chart.
std::string end_label(const ChartSeries& series, const ChartOptions& options) {
  constexpr double kMostOfWidth = 0.4;
  return shortened(series.label, kLabelSize, kMostOfWidth * options.width);
}

// Sets where the chart's area lies, once its ranges are known: between the marks of the y axis and
// the labels of the lines.
void lay_out(const std::vector<ChartSeries>& series, const ChartOptions& options, Frame& frame) {
  constexpr double kNameAndGaps = 31;
  double widest_mark = 0;
  for (const auto& [value, label] : y_marks(frame)) {
    widest_mark = std::max(widest_mark, text_width(label, kMarkSize));
  }
  double widest_label = 0;
  for (const ChartSeries& one : series) {
    widest_label = std::max(widest_label, text_width(end_label(one, options), kLabelSize));
  }
  frame.left = std::max(kLeft, kNameAndGaps + widest_mark);
  frame.right = options.width - kRight - widest_label;
  frame.top = kTop;
  frame.bottom = options.height - kBottom;
}

std::string axis_line(double x1, double x2, double y1, double y2) {
  return fmt::format(
      R"(<line class="axis" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}" stroke="{}"/>)", x1, x2,
      y1, y2, kChartAxis.light);
}

std::string mark_text(const char* anchor, double x, double y, const std::string& label) {
  return fmt::format(
      R"(<text class="tick" text-anchor="{}" x="{:.1f}" y="{:.1f}" font-size="{}">{}</text>)",
      anchor, x, y, kMarkSize, escape_markup(label));
}

std::string y_axis(const Frame& frame) {
  std::string svg;
  for (const auto& [value, label] : y_marks(frame)) {
    const double y = frame.to_y(value);
    svg += fmt::format(
        R"(<line class="grid" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}" stroke="{}"/>)",
        frame.left, frame.right, y, y, kChartGrid.light);
    svg += mark_text("end", frame.left - 8, y + 4, label);
  }
  return svg;
}

// Texts stay within the chart and apart from each other.
std::string x_axis(const Frame& frame, const ChartOptions& options) {
  constexpr double kGap = 5;
  std::string svg;
  double taken = 0;  // to the left of this there are texts
  for (const auto& [value, label] : x_marks(frame, options)) {
    const double x = frame.to_x(value);
    svg += axis_line(x, x, frame.bottom, frame.bottom + 5);
    const double half = text_width(label, kMarkSize) / 2;
    const double middle = std::min(x, options.width - half - 1);
    if (middle - half >= taken) {
      svg += mark_text("middle", middle, frame.bottom + 20, label);
      taken = middle + half + kGap;
    }
  }
  return svg + axis_line(frame.left, frame.right, frame.bottom, frame.bottom);
}

// The name of an axis, cut to what has room on both sides of its `middle`.
std::string axis_name(const std::string& name, double middle, double length,
                      const std::string& place) {
  const double room = 2 * std::min(middle, length - middle);
  return fmt::format(R"(<text class="name" text-anchor="middle" {} font-size="{}">{}</text>)",
                     place, kNameSize, escape_markup(shortened(name, kNameSize, room)));
}

std::string axes(const Frame& frame, const ChartOptions& options) {
  const double x = (frame.left + frame.right) / 2;
  const double y = (frame.top + frame.bottom) / 2;
  return y_axis(frame) + x_axis(frame, options) +
         axis_name(options.x_label, x, options.width,
                   fmt::format(R"(x="{:.1f}" y="{:.1f}")", x, options.height - 6)) +
         axis_name(options.y_label, y, options.height,
                   fmt::format(R"svg(transform="translate(13 {:.1f}) rotate(-90)")svg", y));
}

const char* color_of(const ChartSeries& series) {
  return kSeriesColors.at(static_cast<size_t>(series.color)).light;
}

std::string cloud(const ChartSeries& series, const Frame& frame) {
  std::string svg = fmt::format(R"(<g class="dot cloud c{}" fill="{}" opacity=".35">)",
                                series.color, color_of(series));
  for (const auto& point : series.points) {
    if (frame.can_draw(point)) {
      svg += fmt::format(R"(<circle cx="{:.1f}" cy="{:.1f}" r="1.7"/>)", frame.to_x(point.first),
                         frame.to_y(point.second));
    }
  }
  return svg + "</g>";
}

std::string line(const ChartSeries& series, const Frame& frame) {
  std::string path;
  std::string dots;
  for (const auto& point : series.points) {
    if (!frame.can_draw(point)) {
      continue;
    }
    const double x = frame.to_x(point.first);
    const double y = frame.to_y(point.second);
    path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", x, y);
    if (series.dots) {
      dots += fmt::format(
          R"(<circle class="dot c{}" cx="{:.1f}" cy="{:.1f}" r="{}" fill="{}"><title>{}: {}, {}</title></circle>)",
          series.color, x, y, series.faint ? 2 : 3, color_of(series), escape_markup(series.label),
          chart_number(point.first, 6), chart_number(point.second, 5));
    }
  }
  if (path.empty()) {
    return "";
  }
  return fmt::format(
             R"(<path class="line c{}" d="{}" fill="none" stroke="{}" )"
             R"(stroke-linejoin="round" stroke-linecap="round" {}/>)",
             series.color, path, color_of(series),
             series.faint ? R"(stroke-width="1.2" opacity=".75")" : R"(stroke-width="2.2")") +
         dots;
}

struct EndLabel {
  double y;
  const ChartSeries* series;
};

// The labels at the ends of the lines, moved apart where they would overlap.
std::string end_labels(std::vector<EndLabel> labels, const Frame& frame,
                       const ChartOptions& options) {
  std::stable_sort(labels.begin(), labels.end(),
                   [](const EndLabel& a, const EndLabel& b) { return a.y < b.y; });
  constexpr double kLineHeight = 1.2 * kLabelSize;
  for (size_t i = 1; i < labels.size(); ++i) {
    labels[i].y = std::max(labels[i].y, labels[i - 1].y + kLineHeight);
  }
  // Whatever was pushed below the frame goes back up.
  for (size_t i = labels.size(); i-- > 0;) {
    const double lowest = i + 1 == labels.size() ? frame.bottom - 6 : labels[i + 1].y - kLineHeight;
    labels[i].y = std::min(labels[i].y, lowest);
  }
  std::string svg;
  for (const EndLabel& label : labels) {
    svg += fmt::format(R"(<text class="end c{}" x="{:.1f}" y="{:.1f}" fill="{}">{}</text>)",
                       label.series->color, frame.right + 8, label.y + 4, color_of(*label.series),
                       escape_markup(end_label(*label.series, options)));
  }
  return svg;
}

std::string open_chart(const ChartOptions& options) {
  return fmt::format(
             R"(<svg class="chart" xmlns="http://www.w3.org/2000/svg" role="img" width="{0:.0f}" height="{1:.0f}" )"
             R"(viewBox="0 0 {0:.0f} {1:.0f}" font-family="{2}" font-size="{3}" fill="{4}">)",
             options.width, options.height, kFontFamily, kLabelSize, kChartText.light) +
         fmt::format("<title>{}</title>", escape_markup(options.title));
}

}  // namespace

std::string line_chart(const std::vector<ChartSeries>& series, const ChartOptions& options) {
  Frame frame;
  frame.log_x = options.log_x;
  frame.log_y = options.log_y;
  fit(series, options.zero_y, frame);
  lay_out(series, options, frame);
  std::string svg = open_chart(options) + axes(frame, options);
  for (const bool faint : {true, false}) {
    for (const ChartSeries& one : series) {
      if (one.faint == faint) {
        svg += one.cloud ? cloud(one, frame) : line(one, frame);
      }
    }
  }
  std::vector<EndLabel> labels;
  for (const ChartSeries& one : series) {
    std::pair<double, double> last(-std::numeric_limits<double>::infinity(), 0);
    for (const auto& point : one.points) {
      last = frame.can_draw(point) && point.first >= last.first ? point : last;
    }
    if (!one.label.empty() && std::isfinite(last.first)) {
      labels.push_back({frame.to_y(last.second), &one});
    }
  }
  return svg + end_labels(std::move(labels), frame, options) + "</svg>\n";
}

std::string bar_chart(const std::vector<ChartSeries>& series, const ChartOptions& options) {
  std::map<double, double> heights;
  for (const ChartSeries& one : series) {
    for (const auto& [x, y] : one.points) {
      heights[x] += y;
    }
  }
  Frame frame;  // places and segments are equal steps, never logarithms
  const double last = heights.empty() ? 0 : heights.rbegin()->first;
  frame.x = {-0.5, last + 0.5};
  frame.y = {0, 1e-9};
  for (const auto& [x, height] : heights) {
    frame.y.include(height);
  }
  lay_out(series, options, frame);
  std::string svg = open_chart(options) + axes(frame, options);
  std::map<double, double> reached;
  std::vector<EndLabel> labels;
  constexpr double kHalfBar = 0.36;
  for (const ChartSeries& one : series) {
    for (const auto& [x, y] : one.points) {
      const double low = reached[x];
      reached[x] = low + y;
      svg += fmt::format(
          R"(<rect class="dot c{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="{}">)"
          R"(<title>{}: {}</title></rect>)",
          one.color, frame.to_x(x - kHalfBar), frame.to_y(low + y),
          frame.to_x(x + kHalfBar) - frame.to_x(x - kHalfBar),
          frame.to_y(low) - frame.to_y(low + y), color_of(one), escape_markup(one.label),
          chart_number(y));
      if (x == last && !one.label.empty()) {
        labels.push_back({frame.to_y(low + y / 2), &one});
      }
    }
  }
  return svg + end_labels(std::move(labels), frame, options) + "</svg>\n";
}

std::string chart_style() {
  std::string dark = fmt::format(
      ".chart,.chart text{{fill:{}}}.chart .grid{{stroke:{}}}.chart .axis{{stroke:{}}}\n",
      kChartText.dark, kChartGrid.dark, kChartAxis.dark);
  for (size_t i = 0; i < kSeriesColors.size(); ++i) {
    dark += fmt::format(".chart .line.c{0}{{stroke:{1}}}.chart :is(.dot,.end).c{0}{{fill:{1}}}\n",
                        i, kSeriesColors[i].dark);
  }
  return fmt::format(
      "\n.chart .tick{{font-variant-numeric:tabular-nums}}\n"
      "@media (prefers-color-scheme:dark){{\n{}}}\n",
      dark);
}

}  // namespace ebt
