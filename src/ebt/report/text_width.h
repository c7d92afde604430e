// An estimate of the width of drawn text, which suits the wider of common sans-serif fonts: the
// reader of an SVG chooses the font.
#pragma once

#include <string>
#include <string_view>

namespace ebt {

// Cells that a terminal gives a character: 0 (marks that join the character before), 1 or 2.
int character_cells(char32_t character);

// Pixels, of any bytes, at a font size in pixels.
double text_width(std::string_view text, double font_size);

// UTF-8 no wider than `width`: the text itself, or its beginning and an ellipsis.
std::string shortened(std::string_view text, double font_size, double width);

}  // namespace ebt
