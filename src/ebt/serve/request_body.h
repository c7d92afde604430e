// The body of a POST: what must hold before it is read, and reading it, never beyond a limit.
#pragma once

#include <httplib.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "ebt/serve/connection.h"

namespace ebt {

// The Content-Type of a request without its parameters: "application/json".
std::string content_type(const httplib::Request& request);

// Throws ApiError unless the headers announce a body of one of `types`, not compressed, and of at
// most `most_bytes`, if they tell.
void check_body(const httplib::Request& request, std::span<const std::string_view> types,
                int64_t most_bytes);

// The whole body. Throws ApiError when it is larger or does not arrive; the connection then ends
// with the answer, for what follows in it is no request.
std::string read_body(const httplib::ContentReader& read, int64_t most_bytes,
                      Connection& connection);

}  // namespace ebt
