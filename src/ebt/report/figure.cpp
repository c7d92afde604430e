#include "ebt/report/figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "ebt/report/chart.h"
#include "ebt/report/colors.h"
#include "ebt/report/markup.h"
#include "ebt/report/text_width.h"

namespace ebt {
namespace {

std::string figure_style() {
  return fmt::format(
      "@media (prefers-color-scheme:dark){{"
      ".figure .ground{{fill:{}}}.figure .head{{fill:{}}}.figure .note{{fill:{}}}}}\n",
      kFigureGround.dark, kFigureInk.dark, kFigureQuiet.dark);
}

}  // namespace

std::string open_figure(double width, double height, const std::string& title,
                        const std::string& style) {
  return fmt::format(
             R"(<svg class="figure" xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {:.0f} {:.0f}" font-family="{}">)",
             width, height, kFontFamily) +
         fmt::format("<title>{}</title><style>{}{}{}</style>", escape_markup(title), chart_style(),
                     figure_style(), style) +
         fmt::format(R"(<rect class="ground" rx="10" width="{:.0f}" height="{:.0f}" fill="{}"/>)",
                     width, height, kFigureGround.light);
}

std::string figure_head(double x, double y, double width, const std::string& text) {
  constexpr double kSize = 15;
  constexpr double kBolder = 1.05;
  return fmt::format(
      R"(<text class="head" x="{:.1f}" y="{:.1f}" font-size="{}" font-weight="600" fill="{}">{}</text>)",
      x, y, kSize, kFigureInk.light, escape_markup(shortened(text, kBolder * kSize, width)));
}

std::string figure_note(double x, double y, double width, const std::string& text) {
  constexpr double kSize = 12.5;
  return fmt::format(
      R"(<text class="note" x="{:.1f}" y="{:.1f}" font-size="{}" fill="{}">{}</text>)", x, y, kSize,
      kFigureQuiet.light, escape_markup(shortened(text, kSize, width)));
}

std::string placed_chart(double x, double y, double width, double height,
                         const std::string& chart) {
  double chart_width = width;
  double chart_height = height;
  const size_t box = chart.find(R"(viewBox="0 0 )");
  if (box != std::string::npos) {
    std::sscanf(chart.c_str() + box, R"(viewBox="0 0 %lf %lf")", &chart_width, &chart_height);
  }
  // A group, since small readers put an <svg> within an <svg> at its origin, in its own size.
  const double scale = std::min(width / chart_width, height / chart_height);
  return fmt::format(R"svg(<g transform="translate({:.5g} {:.5g}) scale({:.4g})">{}</g>)svg",
                     x + (width - scale * chart_width) / 2, y + (height - scale * chart_height) / 2,
                     scale, chart);
}

}  // namespace ebt
