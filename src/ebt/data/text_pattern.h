// Regular expressions over UTF-8, compiled to machine code where the CPU allows it.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace ebt {

// A pattern in Perl's syntax, whose classes (\s, \p{L}) are Unicode's. Immutable and thread-safe.
class TextPattern {
 public:
  enum class Kind { kRegex, kLiteral };

  // `what` begins the Error that is thrown when the pattern is none.
  TextPattern(const std::string& pattern, Kind kind, const std::string& what);

  // Calls on_part(part, matched) for every non-empty match and every stretch between two, in order;
  // together they are `text`, which must be valid UTF-8. Throws Error when a match takes more
  // backtracking than is sane.
  void split(std::string_view text,
             const std::function<void(std::string_view part, bool matched)>& on_part) const;

 private:
  struct Code;
  std::shared_ptr<const Code> code_;
};

}  // namespace ebt
