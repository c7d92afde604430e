// Text within HTML and SVG.
#pragma once

#include <string>
#include <string_view>

namespace ebt {

// Any bytes as the content of an element, or of an attribute in double quotes, of HTML and of
// XML 1.0. Bytes that are not UTF-8 become U+FFFD, one each, and so do characters that XML forbids
// or that draw nothing: controls other than line breaks and tabs, U+FFFE and U+FFFF.
std::string escape_markup(std::string_view text);

}  // namespace ebt
