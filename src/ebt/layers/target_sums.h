// Sums over all positions, and over those that have a target.
#pragma once

#include <algorithm>
#include <cstdint>

#include "ebt/core/tensor.h"
#include "ebt/kernels/sums.h"

namespace ebt {

inline int64_t count_targets(Tensor<const int32_t> targets) {
  return std::count_if(targets.begin(), targets.end(), [](int32_t target) { return target >= 0; });
}

template <class T>
double sum_of(Tensor<const T> values) {
  double sum = 0;
  kernels::sums<T>().sum(values.count(), values.data, &sum);
  return sum;
}

// values and targets of equal count.
template <class T>
double sum_over_targets(Tensor<const T> values, Tensor<const int32_t> targets) {
  double sum = 0;
  kernels::sums<T>().sum_of_targets(targets.count(), values.data, targets.data, &sum);
  return sum;
}

}  // namespace ebt
