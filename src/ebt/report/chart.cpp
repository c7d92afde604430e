#include "ebt/report/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "ebt/report/markup.h"

namespace ebt {
namespace {

constexpr double kFontSize = 13;
constexpr double kGlyphWidth = 0.56 * kFontSize;  // of an average character
constexpr double kLeft = 58;
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

std::vector<std::pair<double, std::string>> x_ticks(const Frame& frame,
                                                    const ChartOptions& options) {
  if (!options.x_ticks.empty()) {
    return options.x_ticks;
  }
  std::vector<std::pair<double, std::string>> ticks;
  for (const double tick : frame.log_x ? log_axis_ticks(frame.x.low, frame.x.high)
                                       : axis_ticks(frame.x.low, frame.x.high, 5)) {
    if (!options.whole_x_ticks || tick == std::floor(tick)) {
      ticks.emplace_back(tick, chart_number(tick));
    }
  }
  return ticks;
}

std::string axes(const Frame& frame, const ChartOptions& options) {
  std::string svg;
  const auto y_ticks = frame.log_y ? log_axis_ticks(frame.y.low, frame.y.high)
                                   : axis_ticks(frame.y.low, frame.y.high, 5);
  for (const double tick : y_ticks) {
    const double y = frame.to_y(tick);
    svg += fmt::format(R"(<line class="grid" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>)",
                       frame.left, frame.right, y, y);
    svg += fmt::format(R"(<text class="tick" text-anchor="end" x="{:.1f}" y="{:.1f}">{}</text>)",
                       frame.left - 8, y + 4, chart_number(tick));
  }
  for (const auto& [tick, label] : x_ticks(frame, options)) {
    const double x = frame.to_x(tick);
    svg += fmt::format(R"(<line class="axis" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>)", x,
                       x, frame.bottom, frame.bottom + 5);
    svg += fmt::format(R"(<text class="tick" text-anchor="middle" x="{:.1f}" y="{:.1f}">{}</text>)",
                       x, frame.bottom + 20, escape_markup(label));
  }
  svg += fmt::format(R"(<line class="axis" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>)",
                     frame.left, frame.right, frame.bottom, frame.bottom);
  svg += fmt::format(R"(<text class="name" text-anchor="middle" x="{:.1f}" y="{:.1f}">{}</text>)",
                     (frame.left + frame.right) / 2, options.height - 6,
                     escape_markup(options.x_label));
  const double middle = (frame.top + frame.bottom) / 2;
  svg += fmt::format(
      R"svg(<text class="name" text-anchor="middle" transform="translate(13 {:.1f}) rotate(-90)">{}</text>)svg",
      middle, escape_markup(options.y_label));
  return svg;
}

std::string cloud(const ChartSeries& series, const Frame& frame) {
  std::string svg = fmt::format(R"(<g class="dot cloud c{}">)", series.color);
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
          R"(<circle class="dot c{}" cx="{:.1f}" cy="{:.1f}" r="{}"><title>{}: {}, {}</title></circle>)",
          series.color, x, y, series.faint ? 2 : 3, escape_markup(series.label),
          chart_number(point.first, 6), chart_number(point.second, 5));
    }
  }
  if (path.empty()) {
    return "";
  }
  return fmt::format(R"(<path class="line c{}{}" d="{}"/>)", series.color,
                     series.faint ? " faint" : "", path) +
         dots;
}

struct EndLabel {
  double y;
  const ChartSeries* series;
};

// The labels at the ends of the lines, moved apart where they would overlap.
std::string end_labels(std::vector<EndLabel> labels, const Frame& frame) {
  std::stable_sort(labels.begin(), labels.end(),
                   [](const EndLabel& a, const EndLabel& b) { return a.y < b.y; });
  constexpr double kLineHeight = 1.2 * kFontSize;
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
    svg +=
        fmt::format(R"(<text class="end c{}" x="{:.1f}" y="{:.1f}">{}</text>)", label.series->color,
                    frame.right + 8, label.y + 4, escape_markup(label.series->label));
  }
  return svg;
}

// Characters of a UTF-8 text.
size_t glyph_count(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

// Where a chart's area lies; its ranges are yet to be set.
Frame frame_of(const std::vector<ChartSeries>& series, const ChartOptions& options) {
  size_t longest = 0;
  for (const ChartSeries& one : series) {
    longest = std::max(longest, glyph_count(one.label));
  }
  Frame frame;
  frame.log_x = options.log_x;
  frame.log_y = options.log_y;
  frame.left = kLeft;
  frame.right = options.width - 16 - kGlyphWidth * static_cast<double>(longest);
  frame.top = kTop;
  frame.bottom = options.height - kBottom;
  return frame;
}

std::string open_chart(const ChartOptions& options) {
  return fmt::format(
             R"(<svg class="chart" xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {:.0f} {:.0f}">)",
             options.width, options.height) +
         fmt::format("<title>{}</title>", escape_markup(options.title));
}

}  // namespace

std::string line_chart(const std::vector<ChartSeries>& series, const ChartOptions& options) {
  Frame frame = frame_of(series, options);
  fit(series, options.zero_y, frame);
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
    const auto last = std::find_if(one.points.rbegin(), one.points.rend(),
                                   [&](const auto& point) { return frame.can_draw(point); });
    if (!one.label.empty() && last != one.points.rend()) {
      labels.push_back({frame.to_y(last->second), &one});
    }
  }
  return svg + end_labels(std::move(labels), frame) + "</svg>\n";
}

std::string bar_chart(const std::vector<ChartSeries>& series, const ChartOptions& options) {
  std::map<double, double> heights;
  for (const ChartSeries& one : series) {
    for (const auto& [x, y] : one.points) {
      heights[x] += y;
    }
  }
  Frame frame = frame_of(series, options);
  const double last = heights.empty() ? 0 : heights.rbegin()->first;
  frame.log_x = false;  // places and segments are equal steps
  frame.log_y = false;
  frame.x = {-0.5, last + 0.5};
  frame.y = {0, 1e-9};
  for (const auto& [x, height] : heights) {
    frame.y.include(height);
  }
  std::string svg = open_chart(options) + axes(frame, options);
  std::map<double, double> reached;
  std::vector<EndLabel> labels;
  constexpr double kHalfBar = 0.36;
  for (const ChartSeries& one : series) {
    for (const auto& [x, y] : one.points) {
      const double low = reached[x];
      reached[x] = low + y;
      svg += fmt::format(
          R"(<rect class="dot c{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">)"
          R"(<title>{}: {}</title></rect>)",
          one.color, frame.to_x(x - kHalfBar), frame.to_y(low + y),
          frame.to_x(x + kHalfBar) - frame.to_x(x - kHalfBar),
          frame.to_y(low) - frame.to_y(low + y), escape_markup(one.label), chart_number(y));
      if (x == last && !one.label.empty()) {
        labels.push_back({frame.to_y(low + y / 2), &one});
      }
    }
  }
  return svg + end_labels(std::move(labels), frame) + "</svg>\n";
}

std::string chart_style() {
  return R"css(
.chart{width:100%;height:auto;display:block;
--text:#3d4451;--grid:#e3e6eb;--axis:#8b93a1;
--c0:#1f5fd0;--c1:#c2500a;--c2:#00805e;--c3:#8a3fb5;--c4:#8b93a1;--c5:#b8297c;--c6:#8f6a00;--c7:#0e7c93}
@media (prefers-color-scheme:dark){.chart{--text:#b9c1cf;--grid:#2b313c;--axis:#6d7686;
--c0:#79aefc;--c1:#ff9d5c;--c2:#45cfa2;--c3:#cf9bf2;--c4:#7b8494;--c5:#f58ac0;--c6:#e0bb4a;--c7:#5cc8de}}
.chart text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:var(--text)}
.chart .name{font-size:12.5px}
.chart .tick{font-size:12px;font-variant-numeric:tabular-nums}
.chart .grid{stroke:var(--grid)}
.chart .axis{stroke:var(--axis)}
.chart .line{fill:none;stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}
.chart .faint{stroke-width:1.2;opacity:.75}
.chart .cloud{opacity:.35}
.chart .line.c0{stroke:var(--c0)}.chart .dot.c0,.chart .end.c0{fill:var(--c0)}
.chart .line.c1{stroke:var(--c1)}.chart .dot.c1,.chart .end.c1{fill:var(--c1)}
.chart .line.c2{stroke:var(--c2)}.chart .dot.c2,.chart .end.c2{fill:var(--c2)}
.chart .line.c3{stroke:var(--c3)}.chart .dot.c3,.chart .end.c3{fill:var(--c3)}
.chart .line.c4{stroke:var(--c4)}.chart .dot.c4,.chart .end.c4{fill:var(--c4)}
.chart .line.c5{stroke:var(--c5)}.chart .dot.c5,.chart .end.c5{fill:var(--c5)}
.chart .line.c6{stroke:var(--c6)}.chart .dot.c6,.chart .end.c6{fill:var(--c6)}
.chart .line.c7{stroke:var(--c7)}.chart .dot.c7,.chart .end.c7{fill:var(--c7)}
)css";
}

std::string figure_style() {
  return R"css(
.figure{--ground:#fff;--ink:#1b2028;--quiet:#667080}
@media (prefers-color-scheme:dark){.figure{--ground:#171b22;--ink:#f1f4f8;--quiet:#98a2b3}}
.figure .ground{fill:var(--ground)}
.figure .head{font:600 15px system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;fill:var(--ink)}
.figure .note{font:12.5px system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;fill:var(--quiet)}
)css";
}

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
  if (const size_t plus = text.find("e+"); plus != std::string::npos) {
    text.erase(plus + 1, text[plus + 2] == '0' ? 2 : 1);
  }
  if (text[0] == '-') {
    text.replace(0, 1, "\u2212");
  }
  return text;
}

}  // namespace ebt
