// Progress and cancellation of long work: between its parts it says how much of it is done, and
// stops where that is wanted.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>

namespace ebt {

// Thrown through work that is to end early. Not a std::exception: it is no failure, and whoever
// handles failures must not take it for one.
class Stopped {};

struct WorkWatch {
  // Whether the work is to end. Asked often, and by several threads at a time; once true, it must
  // stay so. May be empty.
  std::function<bool()> stop_requested = nullptr;
  // Told the share of the work that is done, in [0, 1]. May be empty.
  std::function<void(double share)> on_share = nullptr;

  bool wants_stop() const { return stop_requested && stop_requested(); }
};

// While it lives, the work of this thread is watched, by the innermost watch alone. The watch must
// outlive it.
class [[nodiscard]] WatchedWork {
 public:
  explicit WatchedWork(const WorkWatch& watch);
  ~WatchedWork();
  WatchedWork(const WatchedWork&) = delete;
  WatchedWork& operator=(const WatchedWork&) = delete;

 private:
  const WorkWatch* outer_;
  double outer_begin_, outer_share_;
};

// While it lives, the work of this thread is a part of other work: it begins at `begin` of it, and
// is `share` of it.
class [[nodiscard]] PartOfWork {
 public:
  PartOfWork(double begin, double share);
  ~PartOfWork();
  PartOfWork(const PartOfWork&) = delete;
  PartOfWork& operator=(const PartOfWork&) = delete;

 private:
  double outer_begin_, outer_share_;
};

// The watch of this thread's work, to be handed to other threads; null where nobody watches.
const WorkWatch* work_watch();

// Throws Stopped where the work of this thread is to end. Costs a branch where nobody watches. Does
// nothing within a parallel region, which an exception cannot leave.
void check_stop();

// The same, once the share `done` of the innermost part is told.
void tell_share(double done);

// Calls work(first, count) for `rows` rows, at most `at_a_time` together, and tells after each call
// how far it is.
template <class Work>
void work_in_parts(int64_t rows, int64_t at_a_time, const Work& work) {
  for (int64_t first = 0; first < rows; first += at_a_time) {
    const int64_t count = std::min(at_a_time, rows - first);
    const PartOfWork part(static_cast<double>(first) / static_cast<double>(rows),
                          static_cast<double>(count) / static_cast<double>(rows));
    work(first, count);
    tell_share(1);
  }
}

}  // namespace ebt
