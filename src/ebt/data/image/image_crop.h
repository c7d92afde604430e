// Images cut to the size that a model reads.
#pragma once

#include <cstdint>

#include "ebt/data/image/image.h"

namespace ebt {

// The size that an image has before (height, width) is cut out of it: its own, or where a side is
// too short, enlarged in proportion until both are long enough.
struct ImageSize {
  int64_t height = 0;
  int64_t width = 0;
};
ImageSize size_to_cut(const Image& image, int64_t height, int64_t width);

// The part (height, width) at (top, left) of the image at its size_to_cut; enlarged by bilinear
// interpolation between the centres of pixels. `mirror` exchanges left and right. Nothing but the
// part is computed, so that no image, however narrow, takes much memory.
Image cut(const Image& image, int64_t top, int64_t left, int64_t height, int64_t width,
          bool mirror);
Image cut_centre(const Image& image, int64_t height, int64_t width);

}  // namespace ebt
