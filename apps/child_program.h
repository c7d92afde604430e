// Runs this program again, as a child process.
#pragma once

#include <string>
#include <vector>

namespace ebt {

struct ChildOutcome {
  bool succeeded = false;
  std::string out;       // standard output
  std::string sentence;  // what went wrong, if anything did
};

// Runs `ebt ARGUMENTS...` and waits for it. Throws Error when the system cannot start it.
ChildOutcome run_child(const std::vector<std::string>& arguments);

}  // namespace ebt
