#include "ebt/serve/cors.h"

#include <string_view>

namespace ebt {
namespace {

// A list of names of fields: nothing else is sent back to where it came from.
bool are_field_names(std::string_view list) {
  constexpr std::string_view kOfNames =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~, ";
  return !list.empty() && list.find_first_not_of(kOfNames) == std::string_view::npos;
}

}  // namespace

bool share_with(const std::string& origin, const HttpRequest& request, HttpResponse& response) {
  response.set_field("Access-Control-Allow-Origin", origin);
  if (request.method != "OPTIONS") {
    response.set_field("Vary", "Origin");
    response.set_field("Access-Control-Expose-Headers", "*");
    return false;
  }
  response.status = 204;
  response.set_field("Vary", "Origin, Access-Control-Request-Headers");
  response.set_field("Access-Control-Allow-Methods", "GET, POST");
  // Clients tell of themselves in fields of their own; none of them means anything to this server.
  const std::string_view asked = request.field("Access-Control-Request-Headers");
  response.set_field("Access-Control-Allow-Headers",
                     are_field_names(asked) ? std::string(asked) : "Authorization, Content-Type");
  response.set_field("Access-Control-Max-Age", "7200");  // seconds, the most that Chromium keeps it
  if (request.field("Access-Control-Request-Private-Network") == "true") {
    response.set_field("Access-Control-Allow-Private-Network", "true");
  }
  return true;
}

}  // namespace ebt
