#include "output.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "ebt/core/error.h"
#include "ebt/io/json_text.h"

namespace ebt {

void output_json(const Json& json, int indent) { fmt::print("{}\n", json_text(json, indent)); }

void flush_output() {
  errno = 0;
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    fail_output(errno);
  }
}

void close_output() {
  flush_output();
  if (std::fclose(stdout) != 0) {
    fail_output(errno);
  }
}

void fail_output(int error_number) {
  if (error_number == EPIPE) {
    throw OutputClosed();
  }
  fail("cannot write to the standard output{}",
       error_number == 0 ? "" : ": " + std::generic_category().message(error_number));
}

}  // namespace ebt
