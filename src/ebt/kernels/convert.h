// Values of one type as those of another: of the type that computes as the type that is stored, and
// back.
#pragma once

#include <cstdint>

#include "ebt/kernels/isa.h"

namespace ebt::kernels {

template <class T, class S>
struct ConvertKernels {
  // y = x, rounded to nearest where S is the narrower
  void (*round)(int64_t count, const T* x, S* y);
};

template <class T, class S>
const ConvertKernels<T, S>& convert() {
  return table<ConvertKernels<T, S>>();
}

}  // namespace ebt::kernels
