// Checks of a POST body's type and encoding before it is read.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "ebt/serve/http_message.h"

namespace ebt {

// The Content-Type of a request in small letters and without its parameters: "application/json".
std::string content_type(const HttpRequest& request);

// Throws ApiError unless the fields announce a body of one of `types`, not compressed.
void check_body(const HttpRequest& request, std::span<const std::string_view> types);

}  // namespace ebt
