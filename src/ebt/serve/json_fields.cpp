#include "ebt/serve/json_fields.h"

#include <cmath>
#include <limits>
#include <utility>

#include "ebt/serve/api_error.h"

namespace ebt {
namespace {

// 0 for a number that no int64_t holds.
std::optional<int64_t> whole_number(const nlohmann::json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<uint64_t>();
    return number <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max())
               ? std::optional(static_cast<int64_t>(number))
               : std::nullopt;
  }
  return value.is_number_integer() ? std::optional(value.get<int64_t>()) : std::nullopt;
}

}  // namespace

std::string json_excerpt(const nlohmann::json& value) {
  constexpr size_t kMaxLength = 40;
  if (value.is_structured()) {
    return value.is_array() ? "an array" : "an object";
  }
  std::string text = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  if (text.size() > kMaxLength) {
    text.resize(kMaxLength);
    text += "...";
  }
  return text;
}

JsonFields::JsonFields(const nlohmann::json& object, std::string path, const std::string& what)
    : object_(object), path_(std::move(path)) {
  if (!object.is_object()) {
    refuse_field(path_.substr(0, path_.rfind('.')), "{} must be a JSON object, not {}", what,
                 json_excerpt(object));
  }
}

const nlohmann::json* JsonFields::find(const std::string& name) {
  asked_.insert(name);
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

std::optional<bool> JsonFields::boolean(const std::string& name) {
  const nlohmann::json* const value = find(name);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (!value->is_boolean()) {
    fail_wrong(name, "true or false");
  }
  return value->get<bool>();
}

std::optional<int64_t> JsonFields::integer(const std::string& name, int64_t least, int64_t most) {
  const nlohmann::json* const value = find(name);
  if (value == nullptr) {
    return std::nullopt;
  }
  const std::optional<int64_t> number = whole_number(*value);
  if (!number || *number < least || *number > most) {
    fail_wrong(name, fmt::format("a whole number from {} to {}", least, most));
  }
  return number;
}

std::optional<double> JsonFields::number(const std::string& name, double least) {
  const nlohmann::json* const value = find(name);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (!value->is_number() || !std::isfinite(value->get<double>()) || value->get<double>() < least) {
    fail_wrong(name, fmt::format("a number from {}", least));
  }
  return value->get<double>();
}

std::optional<std::string> JsonFields::text(const std::string& name) {
  const nlohmann::json* const value = find(name);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (!value->is_string()) {
    fail_wrong(name, "a string");
  }
  return value->get<std::string>();
}

void JsonFields::expect_no_others() const {
  for (const auto& [name, value] : object_.items()) {
    if (!value.is_null() && !asked_.contains(name)) {
      const std::string field = path_ + name;
      throw ApiError(400, fmt::format("Unknown field {}.", json_excerpt(field)), field,
                     "unknown_field");
    }
  }
}

void JsonFields::fail_wrong(const std::string& name, const std::string& wanted) const {
  refuse_field(path_ + name, "'{}{}' must be {}, not {}.", path_, name, wanted,
               json_excerpt(object_.at(name)));
}

void JsonFields::fail_unsupported(const std::string& name, const std::string& supported) const {
  throw ApiError(400,
                 fmt::format("'{}{}' is not supported by this server{}.", path_, name,
                             supported.empty() ? "" : ", except as " + supported),
                 path_ + name, "unsupported_field");
}

}  // namespace ebt
