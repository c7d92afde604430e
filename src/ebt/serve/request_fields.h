// Parsing of the fields that several endpoints share. All throw ApiError naming the field.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ebt/serve/json_fields.h"
#include "ebt/serve/served_model.h"

namespace ebt {

nlohmann::json parse_request_body(std::string_view body);

// Reads "model", which may be absent. `kind`: "model", "model of images".
void check_model_name(JsonFields& fields, std::string_view kind, const std::string& served);

// The value of `field` as tokens of the model.
std::vector<int32_t> read_tokens(const nlohmann::json& array, const std::string& field,
                                 const ServedModel& model);

}  // namespace ebt
