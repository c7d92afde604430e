// Operations on the columns of a matrix (rows, width). T computes, S is stored.
#pragma once

#include <cstdint>

#include "ebt/kernels/isa.h"

namespace ebt::kernels {

template <class T, class S>
struct ColumnKernels {
  // sum (width) += the sum over rows of a b; b may be null: of a.
  void (*sum)(int64_t rows, int64_t width, const S* a, const S* b, T* sum);
  // y = x factors for factors (width), or added to y.
  void (*scale)(int64_t rows, int64_t width, const S* x, const T* factors, bool add, S* y);
};

template <class T, class S>
const ColumnKernels<T, S>& columns() {
  return table<ColumnKernels<T, S>>();
}

}  // namespace ebt::kernels
