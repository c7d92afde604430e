#include "ebt/core/work_watch.h"

#include <omp.h>

namespace ebt {
namespace {

thread_local const WorkWatch* watch = nullptr;
// The innermost part of the work.
thread_local double part_begin = 0;
thread_local double part_share = 1;

}  // namespace

WatchedWork::WatchedWork(const WorkWatch& watched)
    : outer_(watch), outer_begin_(part_begin), outer_share_(part_share) {
  watch = &watched;
  part_begin = 0;
  part_share = 1;
}

WatchedWork::~WatchedWork() {
  watch = outer_;
  part_begin = outer_begin_;
  part_share = outer_share_;
}

PartOfWork::PartOfWork(double begin, double share)
    : outer_begin_(part_begin), outer_share_(part_share) {
  part_begin += begin * part_share;
  part_share *= share;
}

PartOfWork::~PartOfWork() {
  part_begin = outer_begin_;
  part_share = outer_share_;
}

const WorkWatch* work_watch() { return watch; }

void check_stop() {
  if (watch != nullptr && omp_in_parallel() == 0 && watch->wants_stop()) {
    throw Stopped();
  }
}

void tell_share(double done) {
  if (watch != nullptr && omp_in_parallel() == 0 && watch->on_share) {
    watch->on_share(part_begin + done * part_share);
  }
  check_stop();
}

}  // namespace ebt
