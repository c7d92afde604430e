#include "ebt/io/json_text.h"

#include "ebt/core/printable.h"
#include "ebt/core/unicode.h"

namespace ebt {
namespace {

template <class JsonType, class Change>
void change_strings(JsonType& json, Change change) {
  if (json.is_string()) {
    auto& text = json.template get_ref<std::string&>();
    text = change(text);
  } else if (json.is_structured()) {
    for (auto& member : json) {
      change_strings(member, change);
    }
  }
}

}  // namespace

std::string json_text(Json json, int indent) {
  change_strings(json, [](const std::string& text) {
    return valid_utf8_prefix(text) == text.size() ? text : escape_bytes(text);
  });
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

void escape_strings(Json& json) { change_strings(json, escape_bytes); }

void unescape_strings(nlohmann::json& json) { change_strings(json, unescape_bytes); }

std::string replace_invalid_bytes(const std::string& text) {
  return Json::parse(Json(text).dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace ebt
