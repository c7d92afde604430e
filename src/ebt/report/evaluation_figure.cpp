#include "ebt/report/evaluation_figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>

#include "ebt/core/error.h"
#include "ebt/report/chart.h"
#include "ebt/report/panel_figure.h"

namespace ebt {
namespace {

std::string capitalised(std::string words) {
  if (!words.empty() && words[0] >= 'a' && words[0] <= 'z') {
    words[0] = static_cast<char>(words[0] - 'a' + 'A');
  }
  return words;
}

std::string quality_chart(const QualityPanel& panel, double width) {
  ChartOptions options;
  options.title = panel.words + " over forward passes per token";
  options.x_label = "forward passes per token";
  options.y_label = panel.words;
  options.width = width;
  options.height = kPanelHeight;
  std::vector<ChartSeries> series;
  double least = 0;
  double most = 0;
  double least_quality = panel.baseline.value_or(std::numeric_limits<double>::infinity());
  double most_quality = panel.baseline.value_or(0);
  for (size_t i = 0; i < panel.curves.size(); ++i) {
    ChartSeries one;
    one.label = panel.curves[i].label;
    one.points = panel.curves[i].points;
    // The second colour is the baseline's.
    const int color = static_cast<int>(i % 7);
    one.color = color == 0 ? 0 : color + 1;
    one.dots = true;
    for (const auto& [x, y] : one.points) {
      least = most == 0 ? x : std::min(least, x);
      most = std::max(most, x);
      least_quality = std::min(least_quality, y);
      most_quality = std::max(most_quality, y);
    }
    series.push_back(std::move(one));
  }
  if (panel.baseline.has_value()) {
    ChartSeries flat;
    flat.label = "Transformer++";
    flat.color = 1;
    const double end = most > least ? most : least + 1;
    flat.points = {{least, *panel.baseline}, {end, *panel.baseline}};
    series.push_back(std::move(flat));
  }
  constexpr double kFarApart = 6;
  options.log_x = least > 0 && most > kFarApart * least;
  options.log_y = least_quality > 0 && most_quality > kFarApart * least_quality;
  options.whole_x_ticks = most - least > 4;
  return line_chart(series, options);
}

// Settings of a grid that take several values.
struct Varying {
  bool steps = false;
  bool stop_change = false;
  bool candidates = false;
};

Varying varying(const TaskGrid& grid) {
  std::set<int64_t> steps;
  std::set<double> stop_changes;
  std::set<int64_t> candidates;
  for (const GridRow& row : grid.rows) {
    if (row.think.has_value()) {
      steps.insert(row.think->steps);
      stop_changes.insert(row.think->stop_change);
      candidates.insert(row.think->candidates);
    }
  }
  return {steps.size() > 1, stop_changes.size() > 1, candidates.size() > 1};
}

// The curve that a row is a point of: what it has in common with the others on it.
std::string curve_label(const ThinkOptions& think, const Varying& vary) {
  std::string label;
  if (vary.candidates && (vary.steps || vary.stop_change)) {
    label =
        fmt::format("{} {}", think.candidates, think.candidates == 1 ? "candidate" : "candidates");
  }
  if (vary.stop_change && vary.steps) {
    label += label.empty() ? "" : ", ";
    label += think.stop_change > 0 ? fmt::format("stop {}", think.stop_change)
                                   : std::string("fixed steps");
  }
  return label.empty() ? "EBT" : label;
}

}  // namespace

std::vector<QualityPanel> quality_panels(const TaskGrid& grid) {
  const Varying vary = varying(grid);
  std::vector<QualityPanel> panels;
  for (size_t i = 0; !grid.rows.empty() && i < grid.rows[0].metrics.size(); ++i) {
    if (!grid.rows[0].metrics[i].drawn) {
      continue;
    }
    QualityPanel& panel = panels.emplace_back();
    panel.words = grid.rows[0].metrics[i].words;
    for (const GridRow& row : grid.rows) {
      const double quality = row.metrics[i].value;
      if (!row.think.has_value()) {
        panel.baseline = quality;
        continue;
      }
      const std::string label = curve_label(*row.think, vary);
      auto curve = std::find_if(panel.curves.begin(), panel.curves.end(),
                                [&](const QualityPanel::Curve& one) { return one.label == label; });
      if (curve == panel.curves.end()) {
        curve = panel.curves.insert(curve, {label, {}});
      }
      curve->points.emplace_back(row.totals.passes_per_token(), quality);
    }
  }
  return panels;
}

std::string quality_figure(const std::vector<QualityPanel>& panels, const std::string& subject) {
  EBT_CHECK(!panels.empty() && panels.size() <= 2, "quality figure: {} panels, not one or two",
            panels.size());
  std::vector<FigurePanel> drawn;
  drawn.reserve(panels.size());
  for (const QualityPanel& panel : panels) {
    drawn.push_back({capitalised(panel.words), quality_chart(panel, panel_width(panels.size()))});
  }
  return panel_figure("Quality against forward passes", drawn, subject);
}

std::string energy_loss_figure(const std::vector<double>& energies,
                               const std::vector<double>& losses, const std::string& subject,
                               const std::string& note) {
  EBT_CHECK(energies.size() == losses.size(), "energy figure: {} energies of {} losses",
            energies.size(), losses.size());
  constexpr size_t kMostDots = 2000;
  constexpr size_t kMostMeans = 20;
  ChartSeries cloud;
  cloud.cloud = true;
  cloud.faint = true;  // behind the means
  const size_t dots = std::min(kMostDots, energies.size());
  for (size_t i = 0; i < dots; ++i) {
    const size_t at = i * energies.size() / dots;
    cloud.points.emplace_back(energies[at], losses[at]);
  }
  std::vector<size_t> order(energies.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return energies[a] < energies[b]; });
  ChartSeries means;
  means.label = "mean";
  means.color = 1;
  means.dots = true;
  const size_t groups = std::min(kMostMeans, energies.size());
  for (size_t group = 0; group < groups; ++group) {
    const size_t begin = group * order.size() / groups;
    const size_t end = (group + 1) * order.size() / groups;
    double energy = 0;
    double loss = 0;
    for (size_t i = begin; i < end; ++i) {
      energy += energies[order[i]];
      loss += losses[order[i]];
    }
    const auto count = static_cast<double>(end - begin);
    means.points.emplace_back(energy / count, loss / count);
  }
  ChartOptions options;
  options.title = "Loss of tokens over their final energy";
  options.x_label = "final energy";
  options.y_label = "loss, nats";
  options.width = panel_width(1);
  options.height = kPanelHeight;
  options.zero_y = true;
  options.whole_x_ticks = false;
  return panel_figure(options.title,
                      {{"Loss over final energy: " + note, line_chart({cloud, means}, options)}},
                      subject);
}

std::string reliability_figure(const std::vector<ReliabilityCurve>& curves,
                               const std::string& subject) {
  ChartSeries diagonal;
  diagonal.label = "true claims";
  diagonal.color = 4;
  diagonal.faint = true;
  diagonal.points = {{0, 0}, {1, 1}};
  std::vector<ChartSeries> series = {diagonal};
  for (size_t i = 0; i < curves.size(); ++i) {
    ChartSeries one;
    one.label = curves[i].label;
    one.points = curves[i].points;
    one.color = static_cast<int>(i % 4);
    one.dots = true;
    series.push_back(std::move(one));
  }
  ChartOptions options;
  options.title = "Share of right predictions over the claimed probability";
  options.x_label = "claimed probability of being right";
  options.y_label = "share that was right";
  options.width = panel_width(1);
  options.height = kPanelHeight;
  options.zero_y = true;
  options.whole_x_ticks = false;
  return panel_figure(options.title,
                      {{"Can its certainty be trusted?", line_chart(series, options)}}, subject);
}

}  // namespace ebt
