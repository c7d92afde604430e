// A map of the final energy of every patch, drawn over the image.
#pragma once

#include "ebt/data/image/image.h"
#include "ebt/think/tiled_denoising.h"

namespace ebt {

// The image in grey under a colour for each patch, from dark (low energy) to bright (high), above a
// scale that tells what the ends stand for: the 2nd and 98th percentile of the energies, so that
// one outlier does not wash out the rest. Small images are enlarged. Throws Error when the map is
// not that of an image of this size.
Image energy_map_image(const Image& image, const PatchMap& energy);

}  // namespace ebt
