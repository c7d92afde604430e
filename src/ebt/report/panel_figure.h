// Charts side by side, at most three in a row, as one standalone SVG.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace ebt {

struct FigurePanel {
  std::string head;
  std::string chart;  // an <svg> of panel_width() x kPanelHeight
};

inline constexpr double kPanelHeight = 320;
// Of each of so many panels, at least one.
double panel_width(size_t panels);

// `title` is for screen readers; `note` stands under the panels.
std::string panel_figure(const std::string& title, const std::vector<FigurePanel>& panels,
                         const std::string& note);

}  // namespace ebt
