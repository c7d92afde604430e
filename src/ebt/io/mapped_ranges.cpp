#include "ebt/io/mapped_ranges.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <map>
#include <string_view>

namespace ebt {
namespace {

struct MappedRange {
  const std::byte* end;
  std::string path;
};

// A lock that a handler of signals may take: who holds it touches no mapped file, so that the
// handler waits for another thread, and never for its own.
class Ranges {
 public:
  class Lock {
   public:
    explicit Lock(Ranges& ranges) : busy_(ranges.busy_) {
      while (busy_.test_and_set(std::memory_order_acquire)) {
      }
    }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    ~Lock() { busy_.clear(std::memory_order_release); }

   private:
    std::atomic_flag& busy_;
  };

  std::map<const std::byte*, MappedRange> by_begin;

 private:
  std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
};

// Never destroyed: files may be mapped until the very end.
Ranges& ranges() {
  static auto* const all = new Ranges;
  return *all;
}

void write_all(std::string_view text) {
  // Nothing can be done about a stderr that is gone.
  [[maybe_unused]] const ssize_t ignored = write(STDERR_FILENO, text.data(), text.size());
}

// Only what may be called from a handler: the program ends here.
void on_bus_error(int signal, siginfo_t* info, void* /*context*/) {
  const auto* const at = static_cast<const std::byte*>(info->si_addr);
  const Ranges::Lock lock(ranges());
  auto range = ranges().by_begin.upper_bound(at);
  if (range == ranges().by_begin.begin() || at >= (--range)->second.end) {
    std::signal(signal, SIG_DFL);
    raise(signal);
    return;
  }
  write_all("ebt: '");
  write_all(range->second.path);
  write_all(
      "' was cut short while it was in use\nhint: a file that is being read must not change\n");
  _exit(1);
}

}  // namespace

void remember_mapping(std::span<const std::byte> bytes, const std::string& path) {
  const Ranges::Lock lock(ranges());
  ranges().by_begin[bytes.data()] = {bytes.data() + bytes.size(), path};
}

void forget_mapping(std::span<const std::byte> bytes) {
  const Ranges::Lock lock(ranges());
  ranges().by_begin.erase(bytes.data());
}

void tell_of_cut_files() {
  ranges();  // made before it is needed
  struct sigaction action {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGBUS, &action, nullptr);
}

}  // namespace ebt
