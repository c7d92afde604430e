#include "ebt/io/json_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "ebt/core/error.h"
#include "ebt/io/file.h"
#include "ebt/io/json.h"

namespace ebt {
namespace {

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\f\v") == std::string_view::npos;
}

}  // namespace

int64_t for_each_json_line(
    const std::string& path,
    const std::function<void(const std::string& what, const nlohmann::json& object)>& visit) {
  const MappedFile file(path);
  std::string_view rest = file.text();
  int64_t count = 0;
  for (int64_t line_number = 1; !rest.empty(); ++line_number) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (is_blank(line)) {
      continue;
    }
    const std::string what = fmt::format("line {} of '{}'", line_number, path);
    const nlohmann::json object = parse_json(line, what);
    EBT_CHECK(object.is_object(), "{} is not a JSON object", what);
    visit(what, object);
    ++count;
  }
  return count;
}

const std::string& text_member(const nlohmann::json& object, const std::string& what,
                               const std::string& key) {
  const auto member = object.find(key);
  EBT_CHECK(member != object.end(), "{} has no \"{}\"", what, key);
  EBT_CHECK(member->is_string(), "{} has a \"{}\" that is not a string", what, key);
  const auto& text = member->get_ref<const std::string&>();
  EBT_CHECK(!is_blank(text), "{} has an empty \"{}\"", what, key);
  return text;
}

}  // namespace ebt
