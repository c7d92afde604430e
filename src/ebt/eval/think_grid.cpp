#include "ebt/eval/think_grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>
#include <system_error>

#include "ebt/core/error.h"

namespace ebt {
namespace {

template <class Value>
std::vector<Value> read_values(const std::string& text, const char* flag, const char* kind,
                               Value base, Value least) {
  if (text.empty()) {
    return {base};
  }
  std::vector<Value> values;
  std::string_view rest = text;
  while (true) {
    const std::string_view word = rest.substr(0, rest.find(','));
    Value value{};
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    EBT_CHECK(error == std::errc() && end == word.data() + word.size() && value >= least &&
                  std::isfinite(static_cast<double>(value)),
              "--{} must be {} from {} with commas between them, not '{}'", flag, kind, least,
              text);
    EBT_CHECK(std::find(values.begin(), values.end(), value) == values.end(),
              "--{} repeats the value {}", flag, value);
    values.push_back(value);
    if (word.size() == rest.size()) {
      return values;
    }
    rest.remove_prefix(word.size() + 1);
  }
}

}  // namespace

std::vector<ThinkOptions> ThinkGrid::options(const ThinkOptions& base) const {
  std::vector<ThinkOptions> result;
  for (const int64_t count :
       read_values<int64_t>(candidates, "candidates-grid", "whole numbers", base.candidates, 1)) {
    for (const double change :
         read_values<double>(stop_change, "stop-grid", "numbers", base.stop_change, 0)) {
      for (const int64_t step :
           read_values<int64_t>(steps, "grid", "whole numbers", base.steps, 1)) {
        ThinkOptions point = base;
        point.candidates = count;
        point.stop_change = change;
        point.steps = step;
        point.check();
        result.push_back(point);
      }
    }
  }
  return result;
}

}  // namespace ebt
