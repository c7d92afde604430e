// A progress line for work on a known number of bytes.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "ebt/core/log.h"

namespace ebt {

// A progress line with speed and the time left, which nobody is shown before it has taken two
// seconds. Not thread-safe.
class ByteProgress {
 public:
  // `what` is being done: "tokenising".
  ByteProgress(std::string what, size_t total_bytes);
  ~ByteProgress();
  ByteProgress(const ByteProgress&) = delete;
  ByteProgress& operator=(const ByteProgress&) = delete;

  // That many bytes more are done.
  void add(size_t bytes);

 private:
  using Clock = std::chrono::steady_clock;
  std::string what_;
  size_t total_bytes_;
  size_t done_bytes_ = 0;
  Clock::time_point start_ = Clock::now();
  std::optional<ProgressLine> line_;
};

}  // namespace ebt
