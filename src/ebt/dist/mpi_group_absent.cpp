#include "ebt/core/error.h"
#include "ebt/dist/mpi_group.h"

namespace ebt {

bool has_mpi() { return false; }

std::unique_ptr<Group> join_mpi_group(double /*patience_seconds*/) {
  fail("this program was built without MPI (Debian: libopenmpi-dev), and cannot run on many ranks");
}

}  // namespace ebt
