// Element-wise operations (elementwise.h) for one instruction set.
#include "ebt/core/bfloat16.h"
#include "ebt/kernels/cpu/parallel.h"
#include "ebt/kernels/elementwise.h"

namespace ebt::kernels {
namespace {

template <class T>
void copy(int64_t count, const T* x, T* y) {
#pragma omp parallel for simd schedule(static) if (parallel : count > kSerialElements)
  for (int64_t i = 0; i < count; ++i) {
    y[i] = x[i];
  }
}

template <class T>
void fill(int64_t count, T value, T* y) {
#pragma omp parallel for simd schedule(static) if (parallel : count > kSerialElements)
  for (int64_t i = 0; i < count; ++i) {
    y[i] = value;
  }
}

template <class T>
void scale(int64_t count, T factor, T* y) {
#pragma omp parallel for simd schedule(static) if (parallel : count > kSerialElements)
  for (int64_t i = 0; i < count; ++i) {
    y[i] = static_cast<T>(factor * y[i]);
  }
}

template <class T>
void affine(int64_t count, T offset, T factor, T* y) {
#pragma omp parallel for simd schedule(static) if (parallel : count > kSerialElements)
  for (int64_t i = 0; i < count; ++i) {
    y[i] = static_cast<T>(offset + factor * y[i]);
  }
}

template <class T>
void add(int64_t count, T factor, const T* x, T* y) {
#pragma omp parallel for simd schedule(static) if (parallel : count > kSerialElements)
  for (int64_t i = 0; i < count; ++i) {
    y[i] = static_cast<T>(y[i] + factor * x[i]);
  }
}

template <class T>
void axpby(int64_t count, T a, const T* x, T b, T* y) {
#pragma omp parallel for simd schedule(static) if (parallel : count > kSerialElements)
  for (int64_t i = 0; i < count; ++i) {
    y[i] = static_cast<T>(a * x[i] + b * y[i]);
  }
}

template <class T>
constexpr ElementwiseKernels<T> kTable{&copy<T>,   &fill<T>, &scale<T>,
                                       &affine<T>, &add<T>,  &axpby<T>};

}  // namespace

#define EBT_TABLE(T)                                                                \
  template <>                                                                       \
  const ElementwiseKernels<T>& kernels_for<ElementwiseKernels<T>, Isa::EBT_ISA>() { \
    return kTable<T>;                                                               \
  }
EBT_TABLE(float)
EBT_TABLE(double)
EBT_TABLE(Bfloat16)
#undef EBT_TABLE

}  // namespace ebt::kernels
