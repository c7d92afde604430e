// Cross-origin resource sharing (the Fetch standard): what lets pages of another origin use a
// server.
#pragma once

#include <string>

#include "ebt/serve/http_message.h"

namespace ebt {

// Lets pages of `origin`, or of any if it is "*", read the answer, whatever it will be. True where
// the request was a browser's question whether they may send theirs: it is then answered.
bool share_with(const std::string& origin, const HttpRequest& request, HttpResponse& response);

}  // namespace ebt
