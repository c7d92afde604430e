// The OpenMP threads of this process. How many of those that are asked for are granted is up to
// the environment (OMP_THREAD_LIMIT, OMP_DYNAMIC, a region that runs inside another): work is cut
// by its own shape, never by a number of threads, and so its results are the same for any.
#pragma once

#include <omp.h>

#include <cstdint>
#include <exception>

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
  OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

// Calls part(i) for every i from 0 to `count`, each on one thread (OneThread) and all of them on
// those that are granted. Throws what a part throws, after the others have ended.
template <class Part>
void run_in_parallel(int64_t count, const Part& part) {
  std::exception_ptr failure;
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < count; ++i) {
    const OneThread one;
    try {
      part(i);
    } catch (...) {
#pragma omp critical(ebt_run_in_parallel)
      failure = std::current_exception();
    }
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
}

}  // namespace ebt
