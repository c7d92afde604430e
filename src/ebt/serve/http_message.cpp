#include "ebt/serve/http_message.h"

#include <algorithm>
#include <utility>

namespace ebt {
char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return to_lower(x) == to_lower(y); });
}

std::string_view trim_blanks(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

bool HttpRequest::has(std::string_view name) const {
  return std::any_of(fields.begin(), fields.end(),
                     [&](const HttpField& field) { return equal_ignoring_case(field.name, name); });
}

std::string_view HttpRequest::field(std::string_view name) const {
  for (const HttpField& field : fields) {
    if (equal_ignoring_case(field.name, name)) {
      return field.value;
    }
  }
  return {};
}

bool HttpRequest::lists(std::string_view name, std::string_view word) const {
  for (const HttpField& field : fields) {
    if (!equal_ignoring_case(field.name, name)) {
      continue;
    }
    for (std::string_view rest = field.value; !rest.empty();) {
      const size_t comma = std::min(rest.find(','), rest.size());
      if (equal_ignoring_case(trim_blanks(rest.substr(0, comma)), word)) {
        return true;
      }
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return false;
}

void HttpResponse::set_field(std::string name, std::string value) {
  std::erase_if(fields,
                [&](const HttpField& field) { return equal_ignoring_case(field.name, name); });
  fields.push_back({std::move(name), std::move(value)});
}

void HttpResponse::set_content(std::string content, std::string type) {
  body = std::move(content);
  set_field("Content-Type", std::move(type));
}

}  // namespace ebt
