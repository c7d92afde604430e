#include "ebt/core/threads.h"

#include <omp.h>

#include <exception>

#include "ebt/core/config_check.h"

namespace ebt {

void use_threads(int64_t threads) {
  static const int at_start = omp_get_max_threads();
  check_between("--threads", threads, 0, kMostThreads);
  omp_set_num_threads(threads > 0 ? static_cast<int>(threads) : at_start);
}

OneThread::OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
OneThread::~OneThread() { omp_set_num_threads(before_); }

void run_in_parallel(int64_t count, FunctionRef<void(int64_t)> part) {
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
