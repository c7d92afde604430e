#include "ebt/report/panel_figure.h"

#include "ebt/core/error.h"
#include "ebt/report/figure.h"

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
  std::string svg = open_figure(kWidth, height, title);
  for (size_t i = 0; i < panels.size(); ++i) {
    const double x = kMargin + static_cast<double>(i % columns) * (chart_width + kMargin);
    const double y = static_cast<double>(i / columns) * row_height;
    svg += figure_head(x + kMargin, y + 34, chart_width - kMargin, panels[i].head);
    svg += placed_chart(x, y + kHeadHeight, chart_width, kPanelHeight, panels[i].chart);
  }
  return svg + figure_note(2 * kMargin, height - 16, kWidth - 4 * kMargin, note) + "</svg>\n";
}

}  // namespace ebt
