#include "ebt/report/panel_figure.h"

#include <gtest/gtest.h>

#include "tests/support/error_text.h"

namespace ebt {
namespace {

TEST(PanelFigure, PutsThreePanelsInARow) {
  const std::string svg =
      panel_figure("a <title>", std::vector<FigurePanel>(5, {"head & more", "<svg/>"}), "note");
  EXPECT_EQ(svg.rfind("<svg", 0), 0U);
  EXPECT_NE(svg.find("a &lt;title&gt;"), std::string::npos);
  EXPECT_NE(svg.find("head &amp; more"), std::string::npos);
  EXPECT_NE(svg.find("viewBox=\"0 0 960 776\""), std::string::npos) << "two rows high";
  EXPECT_NE(svg.find("<g transform=\"translate(12 48) scale(1)\">"), std::string::npos);
  EXPECT_NE(svg.find("<g transform=\"translate(12 416) scale(1)\">"), std::string::npos);
  EXPECT_EQ(panel_width(5), panel_width(3));
  EXPECT_EQ(panel_width(4), panel_width(2)) << "two above two";
  EXPECT_EQ(panel_width(1), 936);
}

TEST(PanelFigure, NeedsAPanel) {
  EXPECT_EQ(testing::error_text([] { panel_figure("", {}, ""); }), "figure: there are no panels");
}

}  // namespace
}  // namespace ebt
