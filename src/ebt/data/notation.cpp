#include "ebt/data/notation.h"

#include <charconv>
#include <optional>
#include <string_view>

#include "ebt/core/error.h"

namespace ebt {
namespace {

// Nothing but digits, and no more than `most`.
std::optional<int64_t> parse_number(std::string_view text, int64_t most) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = error == std::errc() && end == text.data() + text.size() &&
                         text.find('-') == text.npos && number <= most;
  return is_number ? std::optional(number) : std::nullopt;
}

}  // namespace

Extents parse_extents(const std::string& flag, const std::string& text) {
  constexpr int64_t kMost = 1'000'000;
  const size_t cross = text.find('x');
  const std::string_view view = text;
  const auto rows = parse_number(view.substr(0, cross), kMost);
  const auto columns =
      cross == text.npos ? std::nullopt : parse_number(view.substr(cross + 1), kMost);
  EBT_CHECK(rows && columns && *rows >= 1 && *columns >= 1,
            "{}: \"{}\" is not rows x columns, as 2x3", flag, text);
  return {*rows, *columns};
}

NumberRange parse_range(const std::string& flag, const std::string& text) {
  constexpr int64_t kMost = 1'000'000'000;
  const size_t dash = text.find('-');
  const std::string_view view = text;
  const auto least = parse_number(view.substr(0, dash), kMost);
  const auto most = dash == text.npos ? least : parse_number(view.substr(dash + 1), kMost);
  EBT_CHECK(least && most, "{}: \"{}\" is neither a number nor a range, as 6-16", flag, text);
  EBT_CHECK(*least <= *most, "{}: the range {} ends before it begins", flag, text);
  return {*least, *most};
}

}  // namespace ebt
