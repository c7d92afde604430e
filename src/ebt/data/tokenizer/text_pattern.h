// The regular expressions of a tokenizer.json: Oniguruma's, over UTF-8.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace ebt {

class JsonPart;

// A pattern in Oniguruma's own syntax, or a string to be found as it stands. Immutable and
// thread-safe.
class TextPattern {
 public:
  enum class Kind { kRegex, kLiteral };

  // `what` begins the Error that is thrown when the pattern is none, or holds a construct that
  // versions of Oniguruma read in different ways.
  TextPattern(const std::string& pattern, Kind kind, const std::string& what);

  // Calls on_part(part, matched) for every match, of nothing too unless it follows another at once,
  // and for every stretch between two, in order; together they are `text`, which must be valid
  // UTF-8. Throws Error when a match takes more backtracking than is sane.
  void for_each_part(std::string_view text,
                     const std::function<void(std::string_view part, bool matched)>& on_part) const;
  // The text with `content` in place of every match.
  std::string replaced(std::string_view text, std::string_view content) const;

 private:
  struct Regex;

  std::string literal_;  // looked for where there is no regex
  std::shared_ptr<const Regex> regex_;
};

// The pattern {"Regex": ...} or {"String": ...} of a tokenizer.json.
TextPattern read_pattern(const JsonPart& pattern);

}  // namespace ebt
