#include "ebt/report/panel_figure.h"

#include <fmt/format.h>

#include "ebt/core/error.h"
#include "ebt/report/chart.h"
#include "ebt/report/markup.h"

namespace ebt {
namespace {

constexpr double kWidth = 960;
constexpr double kMargin = 12;
constexpr double kHeadHeight = 48;
constexpr double kNoteHeight = 40;

// Panels in a row.
size_t columns_of(size_t panels) { return panels <= 3 ? panels : panels == 4 ? 2 : 3; }

}  // namespace

double panel_width(size_t panels) {
  return (kWidth - kMargin) / static_cast<double>(columns_of(panels)) - kMargin;
}

std::string panel_figure(const std::string& title, const std::vector<FigurePanel>& panels,
                         const std::string& note) {
  EBT_CHECK(!panels.empty(), "figure: there are no panels");
  const size_t columns = columns_of(panels.size());
  const size_t rows = (panels.size() + columns - 1) / columns;
  const double chart_width = panel_width(panels.size());
  const double row_height = kHeadHeight + kPanelHeight;
  const double height = static_cast<double>(rows) * row_height + kNoteHeight;
  std::string svg = fmt::format(
      R"(<svg class="figure" xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {0:.0f} {1:.0f}">)"
      R"(<title>{2}</title><style>{3}{4}</style>)"
      R"(<rect class="ground" rx="10" width="{0:.0f}" height="{1:.0f}"/>)",
      kWidth, height, escape_markup(title), chart_style(), figure_style());
  for (size_t i = 0; i < panels.size(); ++i) {
    const double x = kMargin + static_cast<double>(i % columns) * (chart_width + kMargin);
    const size_t row = i / columns;
    const double y = static_cast<double>(row) * row_height;
    svg += fmt::format(R"(<text class="head" x="{}" y="{}">{}</text>)", x + kMargin, y + 34,
                       escape_markup(panels[i].head));
    svg += fmt::format(R"(<svg x="{}" y="{}" width="{}" height="{}">{}</svg>)", x, y + kHeadHeight,
                       chart_width, kPanelHeight, panels[i].chart);
  }
  return svg + fmt::format("<text class=\"note\" x=\"{}\" y=\"{}\">{}</text></svg>\n", 2 * kMargin,
                           height - 16, escape_markup(note));
}

}  // namespace ebt
