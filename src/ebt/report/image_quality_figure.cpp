#include "ebt/report/image_quality_figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "ebt/report/chart.h"
#include "ebt/report/panel_figure.h"

namespace ebt {
namespace {

// Too long a label for the end of a line.
constexpr const char* kFilter = "non-local means";

// What a panel is drawn from: the rows of one noise.
struct Panel {
  std::string noise;
  std::vector<const ImageRow*> rows;
};

std::vector<Panel> panels_of(const ImageGrid& grid) {
  std::vector<Panel> panels;
  for (const ImageRow& row : grid.rows) {
    if (panels.empty() || panels.back().noise != row.noise.name) {
      panels.push_back({row.noise.name, {}});
    }
    panels.back().rows.push_back(&row);
  }
  return panels;
}

std::string head_of(const Panel& panel) {
  for (const ImageRow* row : panel.rows) {
    if (row->passes == 0) {
      return fmt::format("{}: {} {:.2f} dB", panel.noise, row->method, row->psnr());
    }
  }
  return panel.noise;
}

std::string chart_of(const Panel& panel, double width) {
  constexpr int kGrey = 4;
  std::vector<ChartSeries> series;
  double least = std::numeric_limits<double>::infinity();
  double most = 0;
  for (const ImageRow* row : panel.rows) {
    if (row->passes == 0) {
      continue;
    }
    auto curve = std::find_if(series.begin(), series.end(),
                              [&](const ChartSeries& one) { return one.label == row->method; });
    if (curve == series.end()) {
      ChartSeries one;
      one.label = row->method;
      one.color = static_cast<int>(series.size() % kGrey);
      one.dots = true;
      curve = series.insert(curve, std::move(one));
    }
    const auto passes = static_cast<double>(row->passes);
    curve->points.emplace_back(passes, row->psnr());
    least = std::min(least, passes);
    most = std::max(most, passes);
  }
  // The first method without a model is the noisy input, whose line would flatten all others.
  bool is_input = true;
  for (const ImageRow* row : panel.rows) {
    if (row->passes == 0 && !is_input && most > 0) {
      ChartSeries flat;
      flat.label = row->method == kFilter ? "NLM" : row->method;
      flat.color = kGrey;
      flat.points = {{least, row->psnr()}, {std::max(most, least + 1), row->psnr()}};
      series.push_back(std::move(flat));
    }
    is_input = is_input && row->passes != 0;
  }
  ChartOptions options;
  options.title = "PSNR over forward passes, " + panel.noise;
  options.x_label = "forward passes";
  options.y_label = "PSNR, dB";
  options.width = width;
  options.height = kPanelHeight;
  constexpr double kFarApart = 6;
  options.log_x = most > kFarApart * least;
  return line_chart(series, options);
}

}  // namespace

std::string image_quality_figure(const ImageGrid& grid, const std::string& subject) {
  const std::vector<Panel> panels = panels_of(grid);
  std::vector<FigurePanel> drawn;
  drawn.reserve(panels.size());
  for (const Panel& panel : panels) {
    drawn.push_back({head_of(panel), chart_of(panel, panel_width(panels.size()))});
  }
  const bool has_filter = std::any_of(grid.rows.begin(), grid.rows.end(),
                                      [](const ImageRow& row) { return row.method == kFilter; });
  return panel_figure("PSNR against forward passes", drawn,
                      subject + (has_filter ? fmt::format(" · NLM: {}", kFilter) : ""));
}

}  // namespace ebt
