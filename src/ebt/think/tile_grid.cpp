#include "ebt/think/tile_grid.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>

#include "ebt/core/error.h"

namespace ebt {
namespace {

int64_t divided_up(int64_t value, int64_t by) { return (value + by - 1) / by; }

// From 0 at the edge of a tile to 1 at the end of its overlap with a neighbour, both outside the
// centres of pixels: no weight is 0, so their sum can divide.
double ramp(int64_t pixels_inside, int64_t overlap) {
  if (pixels_inside >= overlap) {
    return 1;
  }
  const double share = (static_cast<double>(pixels_inside) + 0.5) / static_cast<double>(overlap);
  const double sine = std::sin(std::numbers::pi / 2 * share);
  return sine * sine;
}

}  // namespace

std::vector<float> AxisTiles::patch_weights() const {
  std::vector<float> means;
  for (size_t begin = 0; begin < weights.size(); begin += static_cast<size_t>(patch)) {
    float sum = 0;
    for (size_t i = begin; i < begin + static_cast<size_t>(patch); ++i) {
      sum += weights[i];
    }
    means.push_back(sum / static_cast<float>(patch));
  }
  return means;
}

AxisTiles tile_axis(int64_t length, int64_t tile, int64_t patch, int64_t overlap) {
  EBT_CHECK(length > 0 && overlap >= 0 && patch > 0 && tile > 0 && tile % patch == 0,
            "tiles: {} pixels in tiles of {} with patches of {} that overlap by {}", length, tile,
            patch, overlap);
  AxisTiles axis;
  axis.tile = tile;
  axis.patch = patch;
  axis.covered = std::max(divided_up(length, patch) * patch, tile);
  const int64_t step = tile / patch - divided_up(overlap, patch);
  EBT_CHECK(step > 0 || axis.covered == tile,
            "an overlap of {} pixels leaves a tile of {} no whole patch ({}) of its own", overlap,
            tile, patch);
  const int64_t room = (axis.covered - tile) / patch;  // patches that the first tile does not cover
  const int64_t count = room == 0 ? 1 : 1 + divided_up(room, step);
  for (int64_t i = 0; i < count; ++i) {
    axis.starts.push_back(count == 1 ? 0 : i * room / (count - 1) * patch);
  }
  std::vector<double> raw;
  std::vector<double> sums(static_cast<size_t>(axis.covered));
  for (size_t i = 0; i < axis.starts.size(); ++i) {
    const int64_t start = axis.starts[i];
    const int64_t before = i == 0 ? 0 : axis.starts[i - 1] + tile - start;
    const int64_t after = i + 1 == axis.starts.size() ? 0 : start + tile - axis.starts[i + 1];
    for (int64_t pixel = 0; pixel < tile; ++pixel) {
      raw.push_back(ramp(pixel, before) * ramp(tile - 1 - pixel, after));
      sums[static_cast<size_t>(start + pixel)] += raw.back();
    }
  }
  for (size_t i = 0; i < raw.size(); ++i) {
    const int64_t start = axis.starts[i / static_cast<size_t>(tile)];
    const int64_t pixel = start + static_cast<int64_t>(i) % tile;
    axis.weights.push_back(static_cast<float>(raw[i] / sums[static_cast<size_t>(pixel)]));
  }
  return axis;
}

int64_t reflected(int64_t index, int64_t length) {
  if (length == 1) {
    return 0;
  }
  const int64_t period = 2 * (length - 1);
  const int64_t place = (index % period + period) % period;
  return place < length ? place : period - place;
}

}  // namespace ebt
