// Bytes as text, with escapes. The system allows any bytes in paths and arguments; JSON, messages
// and pages hold UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace ebt {

// UTF-8 from which unescape_bytes() makes the same bytes again. Bytes that are no UTF-8 become
// \xNN; a backslash that would read as the beginning of such a byte becomes \x5c; everything else
// stays as it is.
std::string escape_bytes(std::string_view bytes);
std::string unescape_bytes(std::string_view text);

// `text` for one line of a message: bytes that are no UTF-8 and control characters become \xNN, and
// line ends \n.
std::string printable(std::string_view text);

}  // namespace ebt
