#include "ebt/serve/request_body.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <system_error>

#include "ebt/serve/api_error.h"

namespace ebt {
namespace {

ApiError too_large(int64_t most_bytes) {
  return {413,
          fmt::format("The body has more than {} bytes, the limit of this server.", most_bytes), "",
          "body_too_large"};
}

}  // namespace

std::string content_type(const httplib::Request& request) {
  std::string type = request.get_header_value("Content-Type");
  type.erase(std::min(type.find(';'), type.size()));
  type.erase(type.find_last_not_of(" \t") + 1);
  return type;
}

void check_body(const httplib::Request& request, std::span<const std::string_view> types,
                int64_t most_bytes) {
  // A page from elsewhere can post other types, as forms do, without asking the server first.
  if (std::find(types.begin(), types.end(), content_type(request)) == types.end()) {
    throw ApiError(415, fmt::format("The Content-Type must be {}.", fmt::join(types, " or ")));
  }
  if (request.has_header("Content-Encoding")) {
    throw ApiError(415, "A body with a Content-Encoding is not supported.");
  }
  const std::string length = request.get_header_value("Content-Length");
  const bool chunked = request.has_header("Transfer-Encoding");
  uint64_t bytes = 0;
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bytes);
  const bool valid = error == std::errc() && end == length.data() + length.size();
  if (chunked ? !length.empty() : !valid && error != std::errc::result_out_of_range) {
    throw ApiError(400, "The request has no valid Content-Length.");
  }
  if (!chunked && (!valid || bytes > static_cast<uint64_t>(most_bytes))) {
    throw too_large(most_bytes);
  }
}

std::string read_body(const httplib::ContentReader& read, int64_t most_bytes,
                      Connection& connection) {
  const auto most = static_cast<size_t>(most_bytes);
  std::string body;
  bool exceeds = false;
  const bool complete = read([&](const char* bytes, size_t size) {
    exceeds = size > most - body.size();
    if (!exceeds) {
      body.append(bytes, size);
    }
    return !exceeds;
  });
  if (!complete) {
    connection.close_after_request();
    throw exceeds ? too_large(most_bytes)
                  : ApiError(400, "The body of the request did not arrive.");
  }
  return body;
}

}  // namespace ebt
