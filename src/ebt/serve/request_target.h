// The target of a request and the host that it is meant for.
#pragma once

#include <string>
#include <string_view>

#include "ebt/serve/http_message.h"

namespace ebt {

// Sets path, query and host of a request, whose method and fields are known, from its target:
// "/path?query", "http://host/path?query", or "*" for OPTIONS. Percent-encoding is decoded, and
// nothing else is changed: "/a/../b" is not "/b". Throws ApiError (400) for another target, and for
// a Host that is missing, doubled or not one.
void read_target(std::string_view target, HttpRequest& request);

// Whether a host, with or without a port, can only be this machine: localhost and names below it,
// 127.0.0.0/8 and [::1].
bool is_loopback_host(std::string_view host);
// Whether a host, with or without a port, has this name.
bool is_host(std::string_view host, std::string_view name);

}  // namespace ebt
