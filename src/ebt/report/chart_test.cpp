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
  EXPECT_EQ(log_axis_ticks(1.9, 3.9), (std::vector<double>{2, 2.5, 3, 3.5}));
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
  EXPECT_EQ(chart_number(1e9), "1e9");
  EXPECT_EQ(chart_number(-2.5e11), "\u22122.5e11");
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

TEST(Chart, SpacesALogarithmicXAxisByRatios) {
  ChartOptions options;
  options.log_x = true;
  options.x_ticks = {{10, "ten"}, {100, "hundred"}, {1000, "thousand"}};
  const std::string svg =
      line_chart({{"", {{10, 1}, {100, 1}, {1000, 1}, {0, 1}}, 0, false, true}}, options);
  EXPECT_EQ(count_of(svg, "<circle"), 3U) << "0 has no logarithm";
  // The area lies between 58 and 520 - 16.
  EXPECT_NE(svg.find(R"(cx="281.0")"), std::string::npos) << "100 is halfway";
  EXPECT_NE(svg.find(">hundred<"), std::string::npos);
}

TEST(Chart, BeginsAtZeroWhereAsked) {
  ChartOptions options;
  options.zero_y = true;
  EXPECT_NE(line_chart({{"a", {{1, 900}, {2, 1000}}, 0, false, true}}, options).find(">0<"),
            std::string::npos);
}

TEST(Chart, SpansAConstantFromZero) {
  const auto constant = [](double value) {
    return line_chart({{"a", {{1, value}, {2, value}}, 0, false, true}}, {});
  };
  for (const char* tick : {">0<", ">1<"}) {
    EXPECT_NE(constant(0).find(tick), std::string::npos) << tick;
  }
  for (const char* tick : {">0<", ">6<"}) {
    EXPECT_NE(constant(3).find(tick), std::string::npos) << tick;
  }
  EXPECT_NE(constant(-3).find(">\u22126<"), std::string::npos);
}

TEST(Chart, StacksBars) {
  const std::string svg = bar_chart(
      {{"a", {{0, 25}, {1, 50}}, 0, false, false}, {"b", {{0, 75}, {1, 50}}, 1, false, false}}, {});
  EXPECT_EQ(count_of(svg, "<rect"), 4U);
  // The area is 14 to 320 - 46 high: 260 for 100.
  EXPECT_NE(svg.find(R"(y="209.0")"), std::string::npos);
  EXPECT_NE(svg.find(R"(height="65.0")"), std::string::npos);
  EXPECT_EQ(count_of(svg, R"(y="14.0")"), 2U);
  EXPECT_EQ(bar_chart({}, {}).find("nan"), std::string::npos);
}

TEST(Chart, EscapesMarkupInLabels) {
  const std::string svg = line_chart({{"<b>&", {{0, 1}}, 0, false, false}}, {});
  EXPECT_EQ(svg.find("<b>"), std::string::npos);
  EXPECT_NE(svg.find("&lt;b&gt;&amp;"), std::string::npos);
}

}  // namespace
}  // namespace ebt
