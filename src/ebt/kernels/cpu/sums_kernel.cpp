// Sums of a tensor's elements (sums.h) for one instruction set.
#include "ebt/kernels/cpu/parallel.h"
#include "ebt/kernels/cpu/pieces.h"
#include "ebt/kernels/sums.h"

namespace ebt::kernels {
namespace {

template <class Term>
void add_up(int64_t count, double* total, Term&& term) {
  for_pieces<1>(
      1, count,
      [&](int64_t, int64_t begin, int64_t end, double* sum) {
        for (int64_t i = begin; i < end; ++i) {
          *sum += term(i);
        }
      },
      [&](int64_t, const double* sum) { *total += *sum; });
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
void mean_of_rows(int64_t groups, int64_t rows, int64_t width, const T* x, T* out) {
#pragma omp parallel for collapse(2) schedule(static) if (groups * rows * width > kSerialElements)
  for (int64_t group = 0; group < groups; ++group) {
    for (int64_t i = 0; i < width; ++i) {
      double sum = 0;
      for (int64_t row = group * rows; row < (group + 1) * rows; ++row) {
        sum += static_cast<double>(x[row * width + i]);
      }
      out[group * width + i] = static_cast<T>(sum / static_cast<double>(rows));
    }
  }
}

template <class T>
constexpr SumKernels<T> kTable{&sum<T>, &sum_of_targets<T>, &mean_of_rows<T>};

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
