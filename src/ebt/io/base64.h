// Bytes as text (RFC 4648), for data: URLs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ebt {

// With padding, on one line.
std::string base64(std::string_view bytes);
// The reverse, as strict as it was written: nothing for text with other characters, line breaks
// among them, without padding, or with bits that stand for no byte.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace ebt
