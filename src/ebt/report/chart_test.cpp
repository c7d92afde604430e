#include "ebt/report/chart.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace ebt {
namespace {

size_t count_of(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

TEST(Chart, MarksAxesAtRoundNumbers) {
  EXPECT_EQ(axis_ticks(0, 1000, 5), (std::vector<double>{0, 200, 400, 600, 800, 1000}));
  EXPECT_EQ(axis_ticks(-9.4, 3.5, 5), (std::vector<double>{-8, -6, -4, -2, 0, 2}));
  EXPECT_EQ(log_axis_ticks(0.9, 60), (std::vector<double>{1, 2, 5, 10, 20, 50}));
  EXPECT_EQ(log_axis_ticks(1, 20000), (std::vector<double>{1, 10, 100, 1000, 10000}));
}

TEST(Chart, NeverMarksNegativeZero) {
  for (const double tick : axis_ticks(-1, 1, 5)) {
    EXPECT_FALSE(tick == 0 && std::signbit(tick));
  }
}

TEST(Chart, WritesNumbersShort) {
  EXPECT_EQ(chart_number(0.25), "0.25");
  EXPECT_EQ(chart_number(-3), "\u22123");
  EXPECT_EQ(chart_number(1000), "1000");
  EXPECT_EQ(chart_number(15000), "15k");
  EXPECT_EQ(chart_number(2.5e6), "2.5M");
}

TEST(Chart, LeavesOutPointsThatAreNotFinite) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::string svg = line_chart({{"a", {{0, 1}, {1, nan}, {2, 3}}, 0, false, true}}, {});
  EXPECT_EQ(count_of(svg, "<circle"), 2U);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
}

TEST(Chart, DrawsEmptyAndConstantData) {
  EXPECT_EQ(line_chart({}, {}).find("nan"), std::string::npos);
  const std::string svg = line_chart({{"a", {{1, 5}}, 0, false, true}}, {});
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_EQ(svg.find("inf"), std::string::npos);
}

TEST(Chart, LeavesOutValuesThatHaveNoLogarithm) {
  ChartOptions options;
  options.log_y = true;
  const std::string svg =
      line_chart({{"a", {{0, -1}, {1, 10}, {2, 1000}}, 0, false, true}}, options);
  EXPECT_EQ(count_of(svg, "<circle"), 2U);
}

TEST(Chart, EscapesMarkupInLabels) {
  const std::string svg = line_chart({{"<b>&", {{0, 1}}, 0, false, false}}, {});
  EXPECT_EQ(svg.find("<b>"), std::string::npos);
  EXPECT_NE(svg.find("&lt;b&gt;&amp;"), std::string::npos);
}

}  // namespace
}  // namespace ebt
