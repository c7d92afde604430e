// Sums of a tensor's elements (sums.h) for one instruction set.
#include "ebt/kernels/cpu/row_chunks.h"
#include "ebt/kernels/sums.h"

namespace ebt::kernels {
namespace {

// Elements that are added one after the other.
constexpr int64_t kRun = 1 << 13;

// total += term(0) + ... + term(count - 1): runs in parallel, then their sums in order.
template <class Term>
void add_up(int64_t count, double* total, Term&& term) {
  const int64_t runs = (count + kRun - 1) / kRun;
  double* const sums = thread_buffer<double>(runs);
#pragma omp parallel for schedule(static) if (runs > 1)
  for (int64_t run = 0; run < runs; ++run) {
    const int64_t last = (run + 1) * kRun < count ? (run + 1) * kRun : count;
    double sum = 0;
    for (int64_t i = run * kRun; i < last; ++i) {
      sum += term(i);
    }
    sums[run] = sum;
  }
  double sum = 0;
  for (int64_t run = 0; run < runs; ++run) {
    sum += sums[run];
  }
  *total += sum;
}

template <class T>
void sum(int64_t count, const T* x, double* total) {
  add_up(count, total, [=](int64_t i) { return static_cast<double>(x[i]); });
}

template <class T>
void sum_of_targets(int64_t count, const T* x, const int32_t* targets, double* total) {
  add_up(count, total,
         [=](int64_t i) { return targets[i] >= 0 ? static_cast<double>(x[i]) : 0.0; });
}

template <class T>
constexpr SumKernels<T> kTable{&sum<T>, &sum_of_targets<T>};

}  // namespace

#define EBT_TABLE(T)                                                \
  template <>                                                       \
  const SumKernels<T>& kernels_for<SumKernels<T>, Isa::EBT_ISA>() { \
    return kTable<T>;                                               \
  }
EBT_TABLE(float)
EBT_TABLE(double)
#undef EBT_TABLE

}  // namespace ebt::kernels
