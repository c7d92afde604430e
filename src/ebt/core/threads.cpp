#include "ebt/core/threads.h"

#include "ebt/core/config_check.h"

namespace ebt {

void use_threads(int64_t threads) {
  static const int at_start = omp_get_max_threads();
  check_between("--threads", threads, 0, kMostThreads);
  omp_set_num_threads(threads > 0 ? static_cast<int>(threads) : at_start);
}

}  // namespace ebt
