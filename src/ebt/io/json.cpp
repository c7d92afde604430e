#include "ebt/io/json.h"

#include <set>
#include <vector>

#include "ebt/core/error.h"
#include "ebt/io/file_kind.h"

namespace ebt {
namespace {

using nlohmann::json;

// "column 3: syntax error while parsing value - unexpected end of input" out of the parser's
// "[json.exception...] parse error at line 1, column 3: ...; last read: '<garbage>'". What was read
// is dropped: it can be long and need not be printable. One line of text needs no line number.
std::string parse_error_text(std::string_view message, bool is_one_line) {
  constexpr std::string_view kBeforePosition = "parse error at ";
  constexpr std::string_view kFirstLine = "line 1, ";
  message = message.substr(0, message.find("; last read"));
  if (const size_t found = message.find(kBeforePosition); found != message.npos) {
    message.remove_prefix(found + kBeforePosition.size());
  }
  if (is_one_line && message.starts_with(kFirstLine)) {
    message.remove_prefix(kFirstLine.size());
  }
  return std::string(message);
}

}  // namespace

json parse_json(std::string_view text, const std::string& what) {
  EBT_CHECK(text.size() <= kMaxJson_bytes, "{} has {} bytes of JSON, above the limit of {}", what,
            text.size(), kMaxJson_bytes);
  std::vector<std::set<std::string>> keys_of_open_objects;
  const auto check = [&](int depth, json::parse_event_t event, const json& parsed) {
    switch (event) {
      case json::parse_event_t::object_start:
        keys_of_open_objects.emplace_back();
        [[fallthrough]];
      case json::parse_event_t::array_start:
        EBT_CHECK(depth < kMaxJsonDepth, "{} is JSON nested deeper than {} levels", what,
                  kMaxJsonDepth);
        break;
      case json::parse_event_t::object_end:
        keys_of_open_objects.pop_back();
        break;
      case json::parse_event_t::key: {
        const auto& key = parsed.get_ref<const std::string&>();
        EBT_CHECK(keys_of_open_objects.back().insert(key).second, "{} repeats the JSON key {:?}",
                  what, key.substr(0, 100));
        break;
      }
      default:
        break;
    }
    return true;
  };
  try {
    return json::parse(text, check);
  } catch (const json::parse_error& error) {
    if (const FileKind* const kind = recognise_file(text); kind != nullptr) {
      fail("{} is {}, not JSON{}{}", what, kind->name, kind->as_text.empty() ? "" : ": ",
           kind->as_text);
    }
    fail("{} is not valid JSON: {}", what,
         parse_error_text(error.what(), text.find('\n') == text.npos));
  } catch (const json::exception&) {
    fail("{} holds a JSON number that is out of range", what);
  }
}

std::string first_difference(const json& a, const json& b) {
  if (!a.is_object() || !b.is_object()) {
    return a == b ? "" : "(all)";
  }
  for (const auto* object : {&a, &b}) {
    for (const auto& [key, value] : object->items()) {
      if (!a.contains(key) || !b.contains(key) || a.at(key) != b.at(key)) {
        return key;
      }
    }
  }
  return "";
}

}  // namespace ebt
