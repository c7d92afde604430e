// Whether a launcher of many processes started this one.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "ebt/core/function_ref.h"
#include "ebt/dist/group.h"

namespace ebt {

// One of `size` processes that were started together.
struct Launch {
  std::string launcher;  // "mpirun", "srun"
  int rank = 0;
  int size = 1;
};

// By what launchers leave in the environment: Open MPI's mpirun, any that speaks PMI (as MPICH's
// mpiexec), and Slurm's srun, whatever its --mpi. Absent where none did. Throws Error where the
// variables make no sense.
std::optional<Launch> find_launch();
// The same in another environment; `variable` returns null for what is not set.
std::optional<Launch> find_launch(FunctionRef<const char*(const char*)> variable);

// Joins the processes that the launcher started together; null where there is this one alone.
// Throws Error where they cannot be joined.
std::unique_ptr<Group> join_launched_ranks();

}  // namespace ebt
