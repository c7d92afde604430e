#include "ebt/serve/web_files.h"

#include <utility>

namespace ebt {

const char* content_type_of(std::string_view name) {
  constexpr std::pair<std::string_view, const char*> kTypes[] = {
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".svg", "image/svg+xml"}};
  for (const auto& [end, type] : kTypes) {
    if (name.ends_with(end)) {
      return type;
    }
  }
  return "text/plain; charset=utf-8";
}

}  // namespace ebt
