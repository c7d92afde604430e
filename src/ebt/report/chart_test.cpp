#include "ebt/report/chart.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

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

// Whether an SVG reader that knows no style sheets sees colours: each element that is drawn has one
// of its own, or inherits that of its chart or group.
void expect_literal_colors(const std::string& svg) {
  const size_t style = svg.find("<style>");
  const std::string drawn = style == std::string::npos
                                ? svg
                                : std::string(svg).erase(style, svg.find("</style>") - style);
  EXPECT_EQ(drawn.find("var("), std::string::npos);
  EXPECT_NE(drawn.find(R"(fill="#)"), std::string::npos);
  EXPECT_EQ(count_of(drawn, "<svg class=\"chart\""), count_of(drawn, R"(fill="#3d4451")"));
  for (const char* element : {"<line ", "<path ", "<rect "}) {
    for (size_t at = drawn.find(element); at != std::string::npos;
         at = drawn.find(element, at + 1)) {
      const std::string one = drawn.substr(at, drawn.find('>', at) - at);
      EXPECT_NE(one.find("=\"#"), std::string::npos) << one;
    }
  }
}

TEST(Chart, ShowsItsColoursWithoutAStyleSheet) {
  const std::vector<ChartSeries> series = {{"a", {{0, 1}, {1, 2}}, 0, false, true},
                                           {"b", {{0, 2}, {1, 1}}, 7, true, false},
                                           {"", {{0, 2}, {1, 1}}, 4, true, false, true}};
  expect_literal_colors(line_chart(series, {}));
  expect_literal_colors(bar_chart(series, {}));
  EXPECT_NE(line_chart(series, {}).find(R"(stroke="#1f5fd0")"), std::string::npos);
}

TEST(Chart, HasDarkColoursForEverySeries) {
  const std::string style = chart_style();
  for (const char* part : {"prefers-color-scheme:dark", ".line.c0", ".line.c7", "#79aefc"}) {
    EXPECT_NE(style.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(style.find("var("), std::string::npos);
}

// The x of every text of a class, and where its anchor is.
std::vector<double> places_of(const std::string& svg, const std::string& start) {
  std::vector<double> places;
  for (size_t at = svg.find(start); at != std::string::npos; at = svg.find(start, at + 1)) {
    places.push_back(std::stod(svg.substr(svg.find(" x=\"", at) + 4)));
  }
  return places;
}

TEST(Chart, MakesRoomForWideMarksOfTheYAxis) {
  ChartOptions options;
  options.y_label = "a name";
  const auto marks = [&](double low, double high) {
    return places_of(line_chart({{"", {{0, low}, {1, high}}, 0, false, false}}, options),
                     R"(<text class="tick" text-anchor="end")");
  };
  EXPECT_EQ(marks(0, 1)[0], 50) << "as ever where they are narrow";
  // Of "1.0000005M" and the like, in characters of at least half their height.
  EXPECT_GT(marks(1000000.1, 1000000.9)[0], 17 + 10 * 6);
  EXPECT_GT(marks(-0.00000123, -0.00000124)[0], 17 + 8 * 6);
}

TEST(Chart, TellsNeighbouringMarksApart) {
  EXPECT_EQ(tick_labels({1, 1.5}), (std::vector<std::string>{"1", "1.5"}));
  EXPECT_EQ(tick_labels({1000.001, 1000.002}), (std::vector<std::string>{"1000.001", "1000.002"}));
  EXPECT_EQ(tick_labels({123456000, 123457000}),
            (std::vector<std::string>{"123.456M", "123.457M"}));
  EXPECT_EQ(chart_number(2.5e-7), "2.5e\u22127");
}

TEST(Chart, KeepsTheTextsOfTheXAxisApartAndInside) {
  ChartOptions options;
  options.x_ticks = {{0, "first"}, {0.01, "too close"}, {0.5, "middle"}, {1, "a wide last one"}};
  const std::string svg = line_chart({{"", {{0, 0}, {1, 1}}, 0, false, false}}, options);
  EXPECT_EQ(svg.find("too close"), std::string::npos);
  const auto places = places_of(svg, R"(<text class="tick" text-anchor="middle")");
  ASSERT_EQ(places.size(), 3U);
  EXPECT_LT(places[2] + 15 * 6 / 2.0, options.width);
}

TEST(Chart, LeavesRoomToDrawBesideALongLabel) {
  const std::string svg =
      line_chart({{std::string(500, 'm'), {{0, 0}, {1, 1}}, 0, false, false}}, {});
  EXPECT_NE(svg.find("mm\u2026<"), std::string::npos);
  EXPECT_GT(places_of(svg, "<text class=\"end")[0], 200);
}

TEST(Chart, NamesALineWhereItEndsInWhateverOrderItsPointsCome) {
  const auto label = [](const std::vector<std::pair<double, double>>& points) {
    const std::string svg = line_chart({{"name", points, 0, false, false}}, {});
    const size_t at = svg.find("<text class=\"end");
    return svg.substr(at, svg.find('>', at) - at);
  };
  EXPECT_EQ(label({{0, 9}, {1, 5}, {2, 1}}), label({{2, 1}, {1, 5}, {0, 9}}));
}

TEST(Chart, EscapesMarkupInLabels) {
  const std::string svg = line_chart({{"<b>&", {{0, 1}}, 0, false, false}}, {});
  EXPECT_EQ(svg.find("<b>"), std::string::npos);
  EXPECT_NE(svg.find("&lt;b&gt;&amp;"), std::string::npos);
}

}  // namespace
}  // namespace ebt
