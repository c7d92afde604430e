// Sums of a tensor's elements, added in double in an order that does not depend on threads.
#pragma once

#include <cstdint>

#include "ebt/kernels/isa.h"

namespace ebt::kernels {

template <class T>
struct SumKernels {
  // total += sum of x
  void (*sum)(int64_t count, const T* x, double* total);
  // total += sum of x where targets are not negative
  void (*sum_of_targets)(int64_t count, const T* x, const int32_t* targets, double* total);
  // out (groups, width) = means over the rows of x (groups, rows, width)
  void (*mean_of_rows)(int64_t groups, int64_t rows, int64_t width, const T* x, T* out);
};

template <class T>
const SumKernels<T>& sums() {
  return table<SumKernels<T>>();
}

}  // namespace ebt::kernels
