// Programs that tests start as ranks of an MPI job on this machine.
#pragma once

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "ebt/dist/mpi_group.h"

namespace ebt::testing {

struct JobOutcome {
  int exit_code = -1;
  std::string output;  // standard output and error of all ranks and of mpirun
};

// Runs a line of the shell.
inline JobOutcome run_line(const std::string& line) {
  JobOutcome outcome;
  FILE* const pipe = popen(("{ " + line + "; } 2>&1").c_str(), "r");
  if (pipe == nullptr) {
    return outcome;
  }
  std::array<char, 4096> buffer;
  for (size_t count = 0; (count = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    outcome.output.append(buffer.data(), count);
  }
  const int status = pclose(pipe);
  outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

// Why no job can be started here; empty: it can.
inline std::string why_no_mpi() {
  if (!has_mpi()) {
    return "built without MPI (libopenmpi-dev)";
  }
  return run_line("command -v mpirun").exit_code == 0 ? "" : "there is no mpirun (openmpi-bin)";
}

// What starts a program on so many ranks. More of them than cores are fine, and so is root:
// machines that test have few cores and one user.
inline std::string mpi_launcher(int ranks) {
  return "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 mpirun --oversubscribe "
         "--bind-to none -n " +
         std::to_string(ranks) + " ";
}

inline JobOutcome run_mpi_job(int ranks, const std::string& command) {
  return run_line(mpi_launcher(ranks) + command);
}

}  // namespace ebt::testing
