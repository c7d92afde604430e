// A progress line for work of which the completed share is known.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "ebt/core/log.h"

namespace ebt {

// A progress line with the time left, which nobody is shown before it has taken two seconds. Not
// thread-safe.
class ShareProgress {
 public:
  ShareProgress() = default;
  ~ShareProgress();
  ShareProgress(const ShareProgress&) = delete;
  ShareProgress& operator=(const ShareProgress&) = delete;

  // `done` is in [0, 1]. Shows "WHAT: 40 %, 12 s left".
  void update(const std::string& what, double done);
  // Prints a line that stays.
  void note(const std::string& text);

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
  std::optional<ProgressLine> line_;
};

}  // namespace ebt
