// Tables as lines of fields with commas between them (RFC 4180).
#pragma once

#include <string>

namespace ebt {

// A field of a line, quoted where it must be.
std::string csv_field(const std::string& text);

}  // namespace ebt
