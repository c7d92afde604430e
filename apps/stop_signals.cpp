#include "stop_signals.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>

namespace ebt {
namespace {

struct NamedSignal {
  int number;
  const char* name;
};
constexpr std::array<NamedSignal, 4> kSignals = {
    {{SIGINT, "SIGINT"}, {SIGTERM, "SIGTERM"}, {SIGHUP, "SIGHUP"}, {SIGUSR1, "SIGUSR1"}}};

std::atomic<int> first_signal{0};
std::atomic<int64_t> first_time_ms{0};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<int64_t>::is_always_lock_free,
              "signal handlers need atomics without locks");

int64_t now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

void request_stop(int signal) {
  constexpr int64_t kSameRequest_ms = 1000;
  const int64_t now = now_ms();
  int none = 0;
  if (first_signal.compare_exchange_strong(none, signal)) {
    first_time_ms = now;
  } else if (now - first_time_ms >= kSameRequest_ms) {
    std::signal(signal, SIG_DFL);
    raise(signal);  // delivered when this handler returns
  }
}

// Calls that wait, such as writing to a pipe that is full, return early: no SA_RESTART.
void handle(int signal) {
  struct sigaction action {};
  sigaction(signal, nullptr, &action);
  if (signal == SIGHUP && action.sa_handler == SIG_IGN) {
    return;
  }
  action = {};
  action.sa_handler = request_stop;
  sigaction(signal, &action, nullptr);
}

}  // namespace

void fill_closed_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(stream, F_GETFD) < 0) {
      // The lowest free descriptor is this one.
      open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
  }
}

void outlive_outputs() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

StopConditions::StopConditions(double minutes) : minutes_(minutes) {
  outlive_outputs();
  for (const NamedSignal& signal : kSignals) {
    handle(signal.number);
  }
}

const char* StopConditions::signal_name() {
  const int came = first_signal;
  for (const NamedSignal& signal : kSignals) {
    if (signal.number == came) {
      return signal.name;
    }
  }
  return nullptr;
}

bool StopConditions::stop() const {
  const std::chrono::duration<double, std::ratio<60>> passed =
      std::chrono::steady_clock::now() - start_;
  return signalled() || (minutes_ > 0 && passed.count() >= minutes_);
}

void forget_unread_result() {
  if (StopConditions::signalled() && std::fflush(stdout) != 0 && errno == EPIPE) {
    [[maybe_unused]] const std::FILE* nowhere = std::freopen("/dev/null", "w", stdout);
  }
}

}  // namespace ebt
