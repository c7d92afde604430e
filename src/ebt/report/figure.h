// The frame of standalone SVGs: their ground, heads and notes around charts.
#pragma once

#include <string>

namespace ebt {

// Opens a figure, which "</svg>" closes. `title` is for screen readers; `style` is CSS beyond that
// of charts and figures.
std::string open_figure(double width, double height, const std::string& title,
                        const std::string& style = "");

// A line of text from (x, y); what is wider than `width` is cut short.
std::string figure_head(double x, double y, double width, const std::string& text);
std::string figure_note(double x, double y, double width, const std::string& text);

// An <svg> of report/chart.h in the middle of a box whose upper left corner is (x, y), as large as
// it can be there.
std::string placed_chart(double x, double y, double width, double height, const std::string& chart);

}  // namespace ebt
