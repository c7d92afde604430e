// The object "thinking" of a request: how to think, in the fields of ThinkOptions.
#pragma once

#include <nlohmann/json.hpp>

#include "ebt/serve/limits.h"
#include "ebt/think/options.h"

namespace ebt {

// Throws ApiError (400), naming the field. The seed is not one of them.
ThinkOptions parse_thinking(const nlohmann::json& object, const RequestLimits& limits);

}  // namespace ebt
