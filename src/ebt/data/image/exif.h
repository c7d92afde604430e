// Orientation of a photograph, from its Exif data.
#pragma once

#include <string_view>

#include "ebt/data/image/image.h"

namespace ebt {

// The orientation, 1 to 8, that Exif data say; they begin with a TIFF header. 1, which is upright,
// where they say none or are damaged: a picture is worth more than what is written about it.
int exif_orientation(std::string_view tiff);

// The image turned and mirrored to be upright, as an orientation from 1 to 8 asks (Exif 2.32,
// 4.6.4): 3 turns it by half, 6 by a quarter clockwise, 8 by a quarter the other way; 2, 4, 5 and 7
// mirror it also.
Image upright(Image image, int orientation);

}  // namespace ebt
