#include "ebt/serve/request_target.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <optional>

#include "ebt/serve/api_error.h"

namespace ebt {
namespace {

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kHexDigits = "0123456789abcdefABCDEF";
// RFC 3986, section 3.2.2, without percent-encoding: no name in use has it.
constexpr std::string_view kNameCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=";

[[noreturn]] void refuse(const char* what) { throw ApiError(400, what); }

int value_of(char hex_digit) {
  return static_cast<int>(kHexDigits.find(hex_digit)) -
         (hex_digit >= 'A' && hex_digit <= 'F' ? 6 : 0);
}

std::string decoded(std::string_view text, bool plus_is_space) {
  std::string result;
  result.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const std::string_view digits = text.substr(i + 1, 2);
      if (digits.size() < 2 || digits.find_first_not_of(kHexDigits) != digits.npos) {
        refuse("The target of the request has a '%' that two hexadecimal digits must follow.");
      }
      result += static_cast<char>(16 * value_of(digits[0]) + value_of(digits[1]));
      i += 2;
    } else {
      result += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return result;
}

void read_query(std::string_view text, HttpRequest& request) {
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    const size_t equals = std::min(pair.find('='), pair.size());
    if (!pair.empty()) {
      request.query.emplace(decoded(pair.substr(0, equals), true),
                            decoded(pair.substr(std::min(equals + 1, pair.size())), true));
    }
  }
}

// The host without its port; nothing where the text is no host.
std::optional<std::string_view> name_of(std::string_view host) {
  size_t end = host.find(':');
  if (host.starts_with('[')) {
    end = host.find(']');
    if (end == host.npos || end < 2 ||
        host.substr(1, end - 1).find_first_not_of("0123456789abcdefABCDEF:.") != host.npos) {
      return std::nullopt;
    }
    ++end;
  }
  const std::string_view name = host.substr(0, end);
  std::string_view port = host.substr(name.size());
  if (!port.empty() &&
      (port.front() != ':' || port.size() > 6 || port.find_first_not_of(kDigits, 1) != port.npos)) {
    return std::nullopt;
  }
  if (name.empty() ||
      (!name.starts_with('[') && name.find_first_not_of(kNameCharacters) != name.npos)) {
    return std::nullopt;
  }
  return name;
}

// The field Host, which is needed even where the target names a host.
std::string host_field(const HttpRequest& request) {
  const auto count =
      std::count_if(request.fields.begin(), request.fields.end(),
                    [](const HttpField& field) { return equal_ignoring_case(field.name, "Host"); });
  if (count == 0 && request.http_1_0) {
    return "";
  }
  if (count != 1) {
    refuse(count == 0 ? "The request has no Host." : "The request has several fields Host.");
  }
  std::string host(request.field("Host"));
  if (!name_of(host)) {
    refuse("The Host of the request is not one.");
  }
  return host;
}

}  // namespace

void read_target(std::string_view target, HttpRequest& request) {
  request.host = host_field(request);
  if (target == "*" && request.method == "OPTIONS") {
    request.path = "*";
    return;
  }
  for (const char c : target) {
    if (c < '!' || c > '~' || c == '#') {
      refuse("The target of the request has a character that must be percent-encoded.");
    }
  }
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (equal_ignoring_case(target.substr(0, scheme.size()), scheme)) {
      target.remove_prefix(scheme.size());
      request.host = target.substr(0, target.find_first_of("/?"));
      if (!name_of(request.host)) {
        refuse("The target of the request names no host.");
      }
      target.remove_prefix(request.host.size());
      if (target.empty() || target.front() == '?') {
        request.path = "/";
      }
      break;
    }
  }
  if (request.path.empty() && !target.starts_with('/')) {
    refuse("The target of the request is neither a path nor an address of http.");
  }
  const size_t question = std::min(target.find('?'), target.size());
  request.path += decoded(target.substr(0, question), false);
  read_query(target.substr(std::min(question + 1, target.size())), request);
}

bool is_host(std::string_view host, std::string_view name) {
  const auto found = name_of(host);
  return found && equal_ignoring_case(*found, name);
}

bool is_loopback_host(std::string_view host) {
  const auto found = name_of(host);
  if (!found) {
    return false;
  }
  const std::string name(*found);
  constexpr std::string_view kBelow = ".localhost";
  if (equal_ignoring_case(name, "localhost") ||
      (name.size() > kBelow.size() &&
       equal_ignoring_case(std::string_view(name).substr(name.size() - kBelow.size()), kBelow))) {
    return true;
  }
  in_addr v4{};
  if (inet_pton(AF_INET, name.c_str(), &v4) == 1) {
    return (ntohl(v4.s_addr) >> 24) == 127;
  }
  in6_addr v6{};
  return name.starts_with('[') &&
         inet_pton(AF_INET6, name.substr(1, name.size() - 2).c_str(), &v6) == 1 &&
         IN6_IS_ADDR_LOOPBACK(&v6);
}

}  // namespace ebt
