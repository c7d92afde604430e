// Sums over the positions that have a target.
#pragma once

#include <algorithm>
#include <cstdint>

#include "ebt/core/tensor.h"

namespace ebt {

inline int64_t count_targets(Tensor<const int32_t> targets) {
  return std::count_if(targets.begin(), targets.end(), [](int32_t target) { return target >= 0; });
}

// values and targets of equal count.
template <class T>
double sum_over_targets(Tensor<const T> values, Tensor<const int32_t> targets) {
  double sum = 0;
  for (int64_t i = 0; i < targets.count(); ++i) {
    sum += targets[i] >= 0 ? static_cast<double>(values[i]) : 0.0;
  }
  return sum;
}

}  // namespace ebt
