// Operations on the rows of a matrix (rows, width).
#pragma once

#include <cstdint>

#include "ebt/kernels/isa.h"

namespace ebt::kernels {

template <class T>
struct RowKernels {
  // out[row] = a[row] . b[row]
  void (*dot)(int64_t rows, int64_t width, const T* a, const T* b, T* out);
  // out[row] = the mean of x[row], summed in order
  void (*mean)(int64_t rows, int64_t width, const T* x, T* out);
  // y[row] = factors[row] x[row]. y may be x.
  void (*scale)(int64_t rows, int64_t width, const T* factors, const T* x, T* y);
  // out[row] = the column of the largest entry of x[row], the first of equals
  void (*argmax)(int64_t rows, int64_t width, const T* x, int32_t* out);
  // y[row] = factor x for one row x
  void (*repeat)(int64_t rows, int64_t width, T factor, const T* x, T* y);
  // y[row] = 1 in column targets[row] and 0 elsewhere; 0 everywhere where the target is negative
  void (*one_hot)(int64_t rows, int64_t width, const int32_t* targets, T* y);
};

template <class T>
const RowKernels<T>& rows() {
  return table<RowKernels<T>>();
}

}  // namespace ebt::kernels
