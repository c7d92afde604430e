// Standard output with its errors: what a command prints is written, or the command fails.
#pragma once

#include <exception>

#include "ebt/core/config_fields.h"

namespace ebt {

// The reader of the standard output has closed it, as `head` does when it has seen enough.
class OutputClosed : public std::exception {};

// Prints JSON and a line end.
void output_json(const Json& json, int indent = 2);

// Hands to the system what was printed. Throws OutputClosed, or Error when it cannot be written,
// now or since the program began.
void flush_output();

// Likewise, and closes it: what a file system only then finds out counts, too. To be called last.
void close_output();

// Throws what flush_output() would for this errno.
[[noreturn]] void fail_output(int error_number);

}  // namespace ebt
