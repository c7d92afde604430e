// The OpenMP threads of this process. How many of those that are asked for are granted is up to
// the environment (OMP_THREAD_LIMIT, OMP_DYNAMIC, a region that runs inside another): work is cut
// by its own shape, never by a number of threads, and so its results are the same for any.
#pragma once

#include <cstdint>

#include "ebt/core/function_ref.h"

namespace ebt {

inline constexpr int64_t kMostThreads = 4096;
inline constexpr const char* kThreadsHelp =
    "CPU threads; 0 uses all cores, or OMP_NUM_THREADS of them. Results do not depend on it";

// Asks for that many threads from now on; 0: as many as the process started with, which is
// OMP_NUM_THREADS or else the cores that it may run on. Throws Error for a number that is not
// between 0 and kMostThreads.
void use_threads(int64_t threads);

// While it lives, what the calling thread calls finds one OpenMP thread to use.
class OneThread {
 public:
  OneThread();
  ~OneThread();
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

// Calls part(i) for every i from 0 to `count`, each on one thread (OneThread) and all of them on
// those that are granted. Throws what a part throws, after the others have ended.
void run_in_parallel(int64_t count, FunctionRef<void(int64_t)> part);

}  // namespace ebt
