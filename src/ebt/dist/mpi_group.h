// Ranks that are processes of one MPI job: on this machine, or on many.
#pragma once

#include <memory>

#include "ebt/dist/group.h"

namespace ebt {

// Whether this program was built with an MPI.
bool has_mpi();

// Joins all processes of the job, and initialises MPI for it, once in the life of a process. The
// calling thread alone may use the group. MPI is finalised with it, unless it is destroyed by an
// exception: the process is then to end with a status that is not 0, which tells the launcher to
// end the others. A rank that another has waited for longer than `patience_seconds` is taken for
// lost. Throws Error.
std::unique_ptr<Group> join_mpi_group(double patience_seconds = 600);

}  // namespace ebt
