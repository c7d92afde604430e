// Dead-leaves images: synthetic training images for when there are no data.
#pragma once

#include <cstdint>

#include "ebt/data/image/image.h"

namespace ebt {

// Leaves fallen at random onto each other (Lee, Mumford and Huang, "Occlusion models for natural
// images", 2001): discs and rectangles whose radii r have the density r^-3, the one law that looks
// the same from any distance and gives images the spectrum and the edges of photographs. Here every
// leaf also has a shade that changes across it, some have stripes, and edges are smooth over one
// pixel.
//
// The image follows from its arguments alone; index is below 2^56, channels are 1 or 3.
// Thread-safe.
Image draw_dead_leaves(uint64_t seed, int64_t index, int64_t channels, int64_t height,
                       int64_t width);

}  // namespace ebt
