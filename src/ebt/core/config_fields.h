// Configs as JSON: derived from the `visit_fields(name, field, help)` of a config struct, so that a
// field is written down once. A field's JSON key is its flag's name.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>
#include <vector>

#include "ebt/core/enum_names.h"
#include "ebt/core/error.h"

namespace ebt {

// JSON that is written: it keeps keys in the order of the fields.
using Json = nlohmann::ordered_json;

// The word of an enum value.
template <class Enum>
std::string enum_name(Enum value) {
  for (const auto& [name, candidate] : enum_names(value)) {
    if (candidate == value) {
      return name;
    }
  }
  fail("config: value {} has no name", static_cast<int>(value));
}

namespace detail {

// Throw Error "<source>: <key> must be ..." when the value is of another type or out of range.
void read_field(const nlohmann::json& value, const std::string& source, const char* key,
                bool& field);
void read_field(const nlohmann::json& value, const std::string& source, const char* key,
                int64_t& field);
void read_field(const nlohmann::json& value, const std::string& source, const char* key,
                uint64_t& field);
void read_field(const nlohmann::json& value, const std::string& source, const char* key,
                double& field);
void read_field(const nlohmann::json& value, const std::string& source, const char* key,
                std::string& field);
[[noreturn]] void fail_unknown_word(const nlohmann::json& value, const std::string& source,
                                    const char* key, const std::vector<std::string>& words);
template <class Enum>
requires std::is_enum_v<Enum>
void read_field(const nlohmann::json& value, const std::string& source, const char* key,
                Enum& field) {
  std::vector<std::string> words;
  for (const auto& [name, candidate] : enum_names(field)) {
    if (value.is_string() && value.get_ref<const std::string&>() == name) {
      field = candidate;
      return;
    }
    words.push_back(name);
  }
  fail_unknown_word(value, source, key, words);
}

// Throws Error naming the first key of `object` that is not among `known`.
void check_keys(const nlohmann::json& object, const std::string& source,
                const std::vector<std::string>& known);

}  // namespace detail

// All fields of a config, as one flat JSON object.
template <class Config>
Json fields_to_json(Config config) {
  Json object = Json::object();
  config.visit_fields([&](const char* name, auto& field, const char* /*help*/) {
    if constexpr (std::is_enum_v<std::remove_reference_t<decltype(field)>>) {
      object[name] = enum_name(field);
    } else {
      object[name] = field;
    }
  });
  return object;
}

// Sets the fields that `object` names and leaves the others alone. `source` (a file name) opens
// error messages; parse it by parse_json of io/json.h. Throws Error for unknown keys, listing the
// known ones, and for wrong types; the config is then unchanged.
template <class Config>
void fields_from_json(const nlohmann::json& object, const std::string& source, Config& config) {
  Config updated = config;
  std::vector<std::string> known;
  updated.visit_fields(
      [&](const char* name, auto&, const char* /*help*/) { known.emplace_back(name); });
  detail::check_keys(object, source, known);
  updated.visit_fields([&](const char* name, auto& field, const char* /*help*/) {
    if (const auto entry = object.find(name); entry != object.end()) {
      detail::read_field(*entry, source, name, field);
    }
  });
  config = std::move(updated);
}

}  // namespace ebt
