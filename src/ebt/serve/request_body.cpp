#include "ebt/serve/request_body.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "ebt/serve/api_error.h"

namespace ebt {

std::string content_type(const HttpRequest& request) {
  const std::string_view field = request.field("Content-Type");
  std::string type(trim_blanks(field.substr(0, field.find(';'))));
  std::transform(type.begin(), type.end(), type.begin(), to_lower);
  return type;
}

void check_body(const HttpRequest& request, std::span<const std::string_view> types) {
  // A page from elsewhere can post other types, as forms do, without asking the server first.
  if (std::find(types.begin(), types.end(), content_type(request)) == types.end()) {
    throw ApiError(415, fmt::format("The Content-Type must be {}.", fmt::join(types, " or ")));
  }
  if (request.has("Content-Encoding")) {
    throw ApiError(415, "A body with a Content-Encoding is not supported.");
  }
}

}  // namespace ebt
