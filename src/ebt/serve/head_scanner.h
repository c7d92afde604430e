// Finds the end of the head of a request, byte by byte as it arrives, so that nothing is kept that
// cannot become one.
#pragma once

#include <cstddef>
#include <string_view>

namespace ebt {

class HeadScanner {
 public:
  // Looks at what has arrived since the last call: `bytes` begins where it began then. True once
  // the head is complete. Throws ApiError for a line that does not end with CR LF, continues the
  // one before it or holds control characters, and for a head beyond the bounds.
  bool scan(std::string_view bytes);

  // Of a complete head, whose last line is empty.
  size_t begin() const { return begin_; }
  size_t end() const { return at_; }

 private:
  bool end_line(std::string_view line);
  void check_byte(char byte, char before, size_t column) const;

  size_t at_ = 0;
  size_t begin_ = 0;
  size_t line_begin_ = 0;
  size_t lines_ = 0;
};

}  // namespace ebt
