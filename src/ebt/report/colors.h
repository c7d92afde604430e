// Colours of charts, figures and energies. An SVG element states the light one as a presentation
// attribute, which every reader shows; a style sheet, which browsers read, replaces it by the dark
// one where dark pages are wished for.
#pragma once

#include <array>

namespace ebt {

struct Color {
  const char* light;
  const char* dark;
};

// Of charts.
inline constexpr Color kChartText = {"#3d4451", "#b9c1cf"};
inline constexpr Color kChartGrid = {"#e3e6eb", "#2b313c"};
inline constexpr Color kChartAxis = {"#8b93a1", "#6d7686"};
inline constexpr std::array<Color, 8> kSeriesColors = {{{"#1f5fd0", "#79aefc"},
                                                        {"#c2500a", "#ff9d5c"},
                                                        {"#00805e", "#45cfa2"},
                                                        {"#8a3fb5", "#cf9bf2"},
                                                        {"#6b7381", "#8f98a8"},
                                                        {"#b8297c", "#f58ac0"},
                                                        {"#8f6a00", "#e0bb4a"},
                                                        {"#0e7c93", "#5cc8de"}}};
// Of figures.
inline constexpr Color kFigureGround = {"#ffffff", "#171b22"};
inline constexpr Color kFigureInk = {"#1b2028", "#f1f4f8"};
inline constexpr Color kFigureQuiet = {"#5d6675", "#98a2b3"};

// Behind text, from low energy to high: from the page's own ground to a strong orange, with
// lightness falling (light) or rising (dark) all the way, so that they read without colour vision
// too; text stays above a contrast of 4.5 on every level.
inline constexpr std::array<Color, 8> kEnergyColors = {{{"#ffffff", "#171b22"},
                                                        {"#fff4df", "#2a2216"},
                                                        {"#fee6bd", "#3d2a13"},
                                                        {"#fdd596", "#523310"},
                                                        {"#fbc06c", "#683c0e"},
                                                        {"#f6a747", "#7f450d"},
                                                        {"#ee8c2c", "#984e0e"},
                                                        {"#e2721b", "#b05610"}}};

// As the attribute of an element that is drawn without a style sheet.
inline constexpr const char* kFontFamily =
    "system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif";
inline constexpr const char* kMonospaceFamily =
    "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace";

}  // namespace ebt
