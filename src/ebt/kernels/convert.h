// Values of the type that computes, T, as the type that is stored, S.
#pragma once

#include <cstdint>

#include "ebt/kernels/isa.h"

namespace ebt::kernels {

template <class T, class S>
struct ConvertKernels {
  // y = x, rounded to nearest
  void (*round)(int64_t count, const T* x, S* y);
};

template <class T, class S>
const ConvertKernels<T, S>& convert() {
  return table<ConvertKernels<T, S>>();
}

}  // namespace ebt::kernels
