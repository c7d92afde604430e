// Bytes as text (RFC 4648), for data: URLs.
#pragma once

#include <string>
#include <string_view>

namespace ebt {

// With padding, on one line.
std::string base64(std::string_view bytes);

}  // namespace ebt
