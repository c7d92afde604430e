#include "ebt/eval/value_list.h"

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
                               Value least) {
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

std::vector<int64_t> read_whole_numbers(const std::string& text, const char* flag, int64_t least) {
  return read_values<int64_t>(text, flag, "whole numbers", least);
}

std::vector<double> read_numbers(const std::string& text, const char* flag, double least) {
  return read_values<double>(text, flag, "numbers", least);
}

}  // namespace ebt
