#include "ebt/dist/launcher.h"

#include <charconv>
#include <cstdlib>
#include <string_view>

#include "ebt/core/error.h"
#include "ebt/dist/mpi_group.h"

namespace ebt {
namespace {

// A launcher may have been started by those behind it, whose variables then tell of itself.
// Slurm's script of a job has SLURM_PROCID and SLURM_NTASKS too, and is one process all the same.
struct Launcher {
  const char* name;
  const char* rank;
  const char* size;
};
constexpr Launcher kLaunchers[] = {
    {"mpirun", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},
    {"mpiexec", "PMI_RANK", "PMI_SIZE"},
    {"srun", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS"},
};

int number_in(const char* name, std::string_view text) {
  int number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  EBT_CHECK(error == std::errc() && end == text.data() + text.size() && number >= 0,
            "{}: '{}' is not a number of processes", name, text);
  return number;
}

}  // namespace

std::optional<Launch> find_launch(FunctionRef<const char*(const char*)> variable) {
  for (const Launcher& launcher : kLaunchers) {
    const char* const rank = variable(launcher.rank);
    const char* const size = variable(launcher.size);
    if (rank != nullptr && size != nullptr) {
      const Launch launch{launcher.name, number_in(launcher.rank, rank),
                          number_in(launcher.size, size)};
      EBT_CHECK(launch.rank < launch.size, "{}={} is not below {}={}", launcher.rank, rank,
                launcher.size, size);
      return launch;
    }
  }
  return std::nullopt;
}

std::optional<Launch> find_launch() {
  return find_launch([](const char* name) -> const char* { return std::getenv(name); });
}

std::unique_ptr<Group> join_launched_ranks() {
  const std::optional<Launch> launch = find_launch();
  if (!launch || launch->size == 1) {
    return nullptr;
  }
  EBT_CHECK(has_mpi(),
            "{} started {} processes, and this program was built without MPI (Debian: "
            "libopenmpi-dev): it can only run as one",
            launch->launcher, launch->size);
  auto group = join_mpi_group();
  EBT_CHECK(
      group->size() == launch->size,
      "{} started {} processes, of which MPI joined {}: start them with Open MPI's mpirun, or "
      "with srun --mpi=pmix",
      launch->launcher, launch->size, group->size());
  return group;
}

}  // namespace ebt
