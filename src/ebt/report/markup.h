// Escaping of text within HTML and SVG.
#pragma once

#include <string>
#include <string_view>

namespace ebt {

// Any bytes as UTF-8 of characters that can be shown. U+FFFD stands for bytes that are not UTF-8,
// one each, for controls other than line breaks and tabs, for U+FFFE and U+FFFF, which XML forbids,
// and for the characters that turn the direction of the text after them.
std::string shown_text(std::string_view bytes);

// The same as the content of an element, or of an attribute in double quotes, of HTML and XML 1.0.
std::string escape_markup(std::string_view bytes);

}  // namespace ebt
