// Sums of a tensor's elements, added in double in an order that does not depend on threads: to what
// `total` holds already.
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
};

template <class T>
const SumKernels<T>& sums() {
  return table<SumKernels<T>>();
}

}  // namespace ebt::kernels
