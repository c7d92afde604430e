// Serialisation of JSON. Strings come from anywhere, paths and texts of models among them, and need
// not be the UTF-8 that JSON holds.
#pragma once

#include <string>

#include "ebt/core/config_fields.h"

namespace ebt {

// `json` as text, on one line or indented, without a line end behind it. Always valid: a string
// that is no UTF-8 is written as escape_bytes() makes it.
std::string json_text(Json json, int indent = -1);

// All strings by escape_bytes(), to be written to a file from which unescape_strings() gives back
// the same bytes. Keys are left alone.
void escape_strings(Json& json);
void unescape_strings(nlohmann::json& json);

// `text`, as a model wrote it, with U+FFFD for bytes that are no UTF-8.
std::string replace_invalid_bytes(const std::string& text);

}  // namespace ebt
