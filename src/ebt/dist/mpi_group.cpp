#include "ebt/dist/mpi_group.h"

#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <string>
#include <thread>

#include "ebt/core/error.h"

namespace ebt {
namespace {

// Messages are cut into pieces of so many bytes: MPI counts in int, and whoever waits for a piece
// for long may sleep.
constexpr size_t kPieceBytes = size_t{8} << 20U;

std::string message_of(int status) {
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(status, text, &length);
  return {text, static_cast<size_t>(length)};
}

struct World {
  int rank = 0;
  int size = 1;
};

World join_world() {
  int initialised = 0;
  MPI_Initialized(&initialised);
  EBT_CHECK(initialised == 0, "a process joins its MPI job once only");
  int provided = MPI_THREAD_SINGLE;
  const int status = MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
  EBT_CHECK(status == MPI_SUCCESS, "MPI cannot start: {}", message_of(status));
  EBT_CHECK(provided >= MPI_THREAD_FUNNELED,
            "this MPI cannot be used by programs that have threads");
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  World world;
  MPI_Comm_rank(MPI_COMM_WORLD, &world.rank);
  MPI_Comm_size(MPI_COMM_WORLD, &world.size);
  return world;
}

class MpiGroup final : public Group {
 public:
  MpiGroup(World world, double patience_seconds)
      : Group(world.rank, world.size), patience_seconds_(patience_seconds) {}
  ~MpiGroup() override {
    if (std::uncaught_exceptions() == exceptions_before_) {
      MPI_Finalize();
    }
  }

 private:
  void transfer(int to, std::span<const std::byte> sent, int from,
                std::span<std::byte> received) override {
    while (!sent.empty() || !received.empty()) {
      const auto outgoing = sent.first(std::min(sent.size(), kPieceBytes));
      const auto incoming = received.first(std::min(received.size(), kPieceBytes));
      transfer_piece(to, outgoing, from, incoming);
      sent = sent.subspan(outgoing.size());
      received = received.subspan(incoming.size());
    }
  }

  void transfer_piece(int to, std::span<const std::byte> sent, int from,
                      std::span<std::byte> received) {
    constexpr int kTag = 0;
    MPI_Request incoming = MPI_REQUEST_NULL;
    MPI_Request outgoing = MPI_REQUEST_NULL;
    if (!received.empty()) {
      check(MPI_Irecv(received.data(), static_cast<int>(received.size()), MPI_BYTE, from, kTag,
                      MPI_COMM_WORLD, &incoming),
            from);
    }
    if (!sent.empty()) {
      check(MPI_Isend(sent.data(), static_cast<int>(sent.size()), MPI_BYTE, to, kTag,
                      MPI_COMM_WORLD, &outgoing),
            to);
    }
    const MPI_Status came = wait(incoming, from);
    wait(outgoing, to);
    if (!received.empty()) {
      int count = 0;
      MPI_Get_count(&came, MPI_BYTE, &count);
      EBT_CHECK(static_cast<size_t>(count) == received.size(),
                "rank {} sent {} bytes where rank {} expected {}", from, count, rank(),
                received.size());
    }
  }

  // Does not hold a core for long: ranks may be more than there are.
  MPI_Status wait(MPI_Request& request, int other) {
    using Clock = std::chrono::steady_clock;
    constexpr std::chrono::milliseconds kSpin(10);
    constexpr std::chrono::microseconds kNap(50);
    const Clock::time_point begin = Clock::now();
    for (int done = 0;;) {
      MPI_Status status;
      check(MPI_Test(&request, &done, &status), other);
      if (done != 0) {
        return status;
      }
      const std::chrono::duration<double> waited = Clock::now() - begin;
      EBT_CHECK(waited.count() < patience_seconds_, "rank {} has not answered rank {} for {:g} s",
                other, rank(), patience_seconds_);
      if (waited < kSpin) {
        std::this_thread::yield();
      } else {
        std::this_thread::sleep_for(kNap);
      }
    }
  }

  void check(int status, int other) const {
    EBT_CHECK(status == MPI_SUCCESS, "rank {} cannot reach rank {}: {}", rank(), other,
              message_of(status));
  }

  double patience_seconds_;
  int exceptions_before_ = std::uncaught_exceptions();
};

}  // namespace

bool has_mpi() { return true; }

std::unique_ptr<Group> join_mpi_group(double patience_seconds) {
  return std::make_unique<MpiGroup>(join_world(), patience_seconds);
}

}  // namespace ebt
