// How an axis of an image is covered by tiles that overlap, and how these are blended.
#pragma once

#include <cstdint>
#include <vector>

namespace ebt {

// Tiles along one axis: height or width. A grid of tiles is the product of two, and so are its
// weights.
struct AxisTiles {
  int64_t tile = 0;             // pixels of a tile
  int64_t patch = 0;            // pixels of a patch
  int64_t covered = 0;          // pixels from the first tile's begin to the last one's end
  std::vector<int64_t> starts;  // first pixels of the tiles, rising, multiples of the patch
  // (tiles, tile) what a tile counts at each of its pixels: rising smoothly where it overlaps the
  // tile before, falling where it overlaps the next. At every pixel that is covered, they sum to 1;
  // where a tile is alone, it counts exactly 1.
  std::vector<float> weights;

  int64_t count() const { return static_cast<int64_t>(starts.size()); }
  const float* weights_of(int64_t index) const { return weights.data() + index * tile; }
  // (tiles, tile / patch) their means over the pixels of a patch.
  std::vector<float> patch_weights() const;
};

// The fewest tiles that cover `length` pixels with at least `overlap` pixels between neighbours,
// rounded up to whole patches, evenly spread. The image lies at the beginning of what is covered,
// which is longer where the image is shorter than a tile, or no multiple of the patch. `tile` must
// be a multiple of `patch`. Throws Error when the overlap leaves a tile nothing of its own.
AxisTiles tile_axis(int64_t length, int64_t tile, int64_t patch, int64_t overlap);

// Where pixel `index` of an axis of `length` pixels is found when the axis is continued by its
// mirror image, without doubling the pixel at the border.
int64_t reflected(int64_t index, int64_t length);

}  // namespace ebt
