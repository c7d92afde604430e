// The one exception type of the engine, and the check that throws it.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace ebt {

// A failure that a user can understand and act upon: one clear sentence, no stack, no codes.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Throws an Error whose text is the formatted sentence.
template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace ebt

// Throws ebt::Error with the formatted sentence unless `condition` holds.
#define EBT_CHECK(condition, ...) \
  do {                            \
    if (!(condition)) {           \
      ::ebt::fail(__VA_ARGS__);   \
    }                             \
  } while (false)
