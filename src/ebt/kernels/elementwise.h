// Operations on arrays, element by element. Each is rounded after every multiplication and
// addition, so that results do not depend on the instruction set; those of bf16 are computed in
// float32 and rounded once.
#pragma once

#include <cstdint>

#include "ebt/kernels/isa.h"

namespace ebt::kernels {

// Arrays of `count` elements that are the same memory or do not overlap.
template <class T>
struct ElementwiseKernels {
  // y = x
  void (*copy)(int64_t count, const T* x, T* y);
  // y = value
  void (*fill)(int64_t count, T value, T* y);
  // y = factor y
  void (*scale)(int64_t count, T factor, T* y);
  // y = offset + factor y
  void (*affine)(int64_t count, T offset, T factor, T* y);
  // y += factor x
  void (*add)(int64_t count, T factor, const T* x, T* y);
  // y = a x + b y
  void (*axpby)(int64_t count, T a, const T* x, T b, T* y);
};

template <class T>
const ElementwiseKernels<T>& elementwise() {
  return table<ElementwiseKernels<T>>();
}

}  // namespace ebt::kernels
