#include "ebt/core/config_fields.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

namespace ebt {

namespace detail {
namespace {

// The value as an error message quotes it: one line, and short whatever the file holds.
std::string excerpt(const nlohmann::json& value) {
  constexpr size_t kMaxLength = 60;
  std::string text = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  if (text.size() > kMaxLength) {
    text.resize(kMaxLength);
    text += "...";
  }
  return text;
}

}  // namespace

void read_field(const nlohmann::json& value, const std::string& source, const char* key,
                bool& field) {
  EBT_CHECK(value.is_boolean(), "{}: \"{}\" must be true or false, not {}", source, key,
            excerpt(value));
  field = value.get<bool>();
}

void read_field(const nlohmann::json& value, const std::string& source, const char* key,
                int64_t& field) {
  const bool fits =
      value.is_number_integer() &&
      (!value.is_number_unsigned() ||
       value.get<uint64_t>() <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max()));
  EBT_CHECK(fits, "{}: \"{}\" must be a whole number, not {}", source, key, excerpt(value));
  field = value.get<int64_t>();
}

void read_field(const nlohmann::json& value, const std::string& source, const char* key,
                uint64_t& field) {
  EBT_CHECK(value.is_number_unsigned(), "{}: \"{}\" must be a whole number from 0, not {}", source,
            key, excerpt(value));
  field = value.get<uint64_t>();
}

void read_field(const nlohmann::json& value, const std::string& source, const char* key,
                double& field) {
  EBT_CHECK(value.is_number(), "{}: \"{}\" must be a number, not {}", source, key, excerpt(value));
  field = value.get<double>();
}

void read_field(const nlohmann::json& value, const std::string& source, const char* key,
                std::string& field) {
  EBT_CHECK(value.is_string(), "{}: \"{}\" must be a string, not {}", source, key, excerpt(value));
  field = value.get<std::string>();
}

void fail_unknown_word(const nlohmann::json& value, const std::string& source, const char* key,
                       const std::vector<std::string>& words) {
  fail("{}: \"{}\" must be one of {}, not {}", source, key, fmt::join(words, ", "), excerpt(value));
}

void check_keys(const nlohmann::json& object, const std::string& source,
                const std::vector<std::string>& known) {
  EBT_CHECK(object.is_object(), "{}: expected a JSON object of fields, not {}", source,
            excerpt(object));
  for (const auto& [key, value] : object.items()) {
    EBT_CHECK(std::find(known.begin(), known.end(), key) != known.end(),
              "{}: unknown field {}; known fields are {}", source, excerpt(key),
              fmt::join(known, ", "));
  }
}

}  // namespace detail

}  // namespace ebt
