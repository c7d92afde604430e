// Writes an HTTP response to a connection.
#pragma once

#include "ebt/serve/connection.h"
#include "ebt/serve/http_message.h"

namespace ebt {

// `keep`: the connection is to go on. Returns whether it can: the client is told beforehand if not.
bool write_response(const HttpRequest& request, const HttpResponse& response, bool keep,
                    Connection& connection);

}  // namespace ebt
