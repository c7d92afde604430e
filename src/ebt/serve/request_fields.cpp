#include "ebt/serve/request_fields.h"

#include "ebt/core/error.h"
#include "ebt/io/json.h"
#include "ebt/serve/api_error.h"

namespace ebt {

nlohmann::json parse_request_body(std::string_view body) {
  try {
    return parse_json(body, "The body");
  } catch (const Error& error) {
    throw ApiError(400, fmt::format("{}.", error.what()));
  }
}

void check_model_name(JsonFields& fields, std::string_view kind, const std::string& served) {
  const auto name = fields.text("model");
  if (name && *name != served) {
    throw ApiError(
        404,
        fmt::format("There is no {} {}: this server has '{}'.", kind, json_excerpt(*name), served),
        "model", "model_not_found");
  }
}

std::vector<int32_t> read_tokens(const nlohmann::json& array, const std::string& field,
                                 const ServedModel& model) {
  std::vector<int32_t> tokens;
  tokens.reserve(array.size());
  for (const nlohmann::json& token : array) {
    const bool valid = token.is_number_unsigned() &&
                       token.get<uint64_t>() < static_cast<uint64_t>(model.config.vocab_size);
    if (!valid) {
      refuse_field(field, "'{}' has a token {}, but tokens are whole numbers to {}.", field,
                   json_excerpt(token), model.config.vocab_size - 1);
    }
    tokens.push_back(token.get<int32_t>());
  }
  return tokens;
}

}  // namespace ebt
