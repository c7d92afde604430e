// Ranks that are threads of this process: for tests, and to try a number of ranks on one machine.
#pragma once

#include <functional>

#include "ebt/dist/group.h"

namespace ebt {

// Calls work(group) on `size` threads, each of which is a rank. Once one has ended, by return or by
// a throw, those that wait for it throw an Error. Throws what the first to fail threw, after all
// have ended.
void run_thread_ranks(int size, const std::function<void(Group&)>& work);

}  // namespace ebt
