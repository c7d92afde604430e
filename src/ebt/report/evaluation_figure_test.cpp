#include "ebt/report/evaluation_figure.h"

#include <gtest/gtest.h>

#include "ebt/eval/think_grid.h"
#include "tests/support/error_text.h"

namespace ebt {
namespace {

using testing::error_text;

size_t count_of(const std::string& part, const std::string& text) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

TEST(QualityFigure, DrawsACurveForEverySettingAndTheBaselineFlat) {
  QualityPanel panel;
  panel.words = "perplexity";
  panel.curves = {{"1 candidate", {{2, 9}, {3, 8}}}, {"4 <candidates>", {{5, 7}, {9, 6}}}};
  panel.baseline = 7.5;
  const std::string svg = quality_figure({panel}, "a <text>");
  EXPECT_EQ(svg.rfind("<svg", 0), 0U);
  EXPECT_EQ(count_of("class=\"line ", svg), 3U);
  EXPECT_EQ(count_of("<circle", svg), 4U);
  EXPECT_NE(svg.find("4 &lt;candidates&gt;"), std::string::npos);
  EXPECT_NE(svg.find("a &lt;text&gt;"), std::string::npos);
  EXPECT_NE(svg.find(">Perplexity<"), std::string::npos);
  // The flat line begins and ends at one height.
  const size_t flat = svg.find("class=\"line c1\" d=\"M");
  ASSERT_NE(flat, std::string::npos);
  double x0 = 0;
  double y0 = 0;
  double x1 = 0;
  double y1 = 0;
  ASSERT_EQ(
      std::sscanf(svg.c_str() + flat, "class=\"line c1\" d=\"M%lf %lfL%lf %lf", &x0, &y0, &x1, &y1),
      4);
  EXPECT_EQ(y0, y1);
  EXPECT_LT(x0, x1);
}

TEST(QualityFigure, HasOneOrTwoPanels) {
  QualityPanel panel;
  panel.words = "accuracy";
  panel.curves = {{"1 candidate", {{2, 0.5}}}};
  EXPECT_EQ(count_of("<svg class=\"chart\"", quality_figure({panel, panel}, "")), 2U);
  EXPECT_EQ(error_text([] { quality_figure({}, ""); }), "quality figure: 0 panels, not one or two");
}

TaskGrid grid_of(const std::vector<ThinkOptions>& options) {
  TaskGrid grid;
  for (const ThinkOptions& think : options) {
    GridRow row;
    row.think = think;
    row.totals.sums.reported = 1;
    row.totals.sums.forward_passes = 1 + think.steps * think.candidates;
    row.metrics = {{"accuracy", "accuracy", 0.5, true}, {"loss", "nats", 3, false}};
    grid.rows.push_back(row);
  }
  return grid;
}

std::vector<std::string> labels_of(const TaskGrid& grid) {
  std::vector<std::string> labels;
  const std::vector<QualityPanel> panels = quality_panels(grid);
  for (const QualityPanel::Curve& curve : panels.at(0).curves) {
    labels.push_back(curve.label);
  }
  return labels;
}

TEST(QualityPanels, HaveACurveForWhatVariesBesideTheSteps) {
  using Labels = std::vector<std::string>;
  EXPECT_EQ(labels_of(grid_of(ThinkGrid{"1,2,4", "", ""}.options({}))), (Labels{"EBT"}));
  EXPECT_EQ(labels_of(grid_of(ThinkGrid{"1,2", "1,4", ""}.options({}))),
            (Labels{"1 candidate", "4 candidates"}));
  EXPECT_EQ(labels_of(grid_of(ThinkGrid{"1,2", "", "0,0.1"}.options({}))),
            (Labels{"fixed steps", "stop 0.1"}));
  EXPECT_EQ(labels_of(grid_of(ThinkGrid{"", "1,2", "0,0.1"}.options({}))),
            (Labels{"1 candidate", "2 candidates"}));
  EXPECT_EQ(labels_of(grid_of(ThinkGrid{"", "1,2,3", ""}.options({}))), (Labels{"EBT"}));
  TaskGrid grid = grid_of(ThinkGrid{"1,2,4", "", ""}.options({}));
  grid.rows.push_back(grid.rows[0]);
  grid.rows.back().think.reset();
  grid.rows.back().metrics[0].value = 0.25;
  const std::vector<QualityPanel> panels = quality_panels(grid);
  ASSERT_EQ(panels.size(), 1U) << "what is not to be drawn is not";
  EXPECT_EQ(panels[0].curves[0].points,
            (std::vector<std::pair<double, double>>{{2, 0.5}, {3, 0.5}, {5, 0.5}}));
  EXPECT_EQ(panels[0].baseline, 0.25);
}

TEST(EnergyLossFigure, DrawsASampleAndTheMeans) {
  std::vector<double> energies;
  std::vector<double> losses;
  for (int i = 0; i < 5000; ++i) {
    energies.push_back(i % 100);
    losses.push_back(i % 100 / 20.0);
  }
  const std::string svg = energy_loss_figure(energies, losses, "a text", "Pearson 1");
  EXPECT_EQ(count_of("<circle", svg), 2000U + 20U);
  EXPECT_NE(svg.find("Pearson 1"), std::string::npos);
  EXPECT_LT(svg.size(), 200'000U);
  EXPECT_EQ(count_of("<circle", energy_loss_figure({1, 2}, {3, 4}, "", "")), 4U);
}

TEST(ReliabilityFigure, DrawsEveryClaimBesideTheDiagonal) {
  const std::string svg = reliability_figure(
      {{"energy", {{0.1, 0.2}, {0.9, 0.8}}}, {"softmax", {{0.3, 0.1}}}}, "a text");
  EXPECT_EQ(count_of("class=\"line ", svg), 3U);
  EXPECT_EQ(count_of("<circle", svg), 3U);
}

}  // namespace
}  // namespace ebt
