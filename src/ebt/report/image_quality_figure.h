// PSNR against forward passes, for every model and noise.
#pragma once

#include <string>

#include "ebt/eval/image_grid.h"

namespace ebt {

// A standalone SVG with a panel for each noise of the grid: a curve for each model, and a flat line
// for non-local means. What the noisy input has stands in the panel's head.
std::string image_quality_figure(const ImageGrid& grid, const std::string& subject);

}  // namespace ebt
