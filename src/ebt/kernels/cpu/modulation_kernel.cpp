// What adaLN's vectors are made by (modulation.h) for one instruction set.
#include <cmath>

#include "ebt/kernels/cpu/parallel.h"
#include "ebt/kernels/modulation.h"

namespace ebt::kernels {
namespace {

template <class T>
void silu(int64_t count, const T* x, T* y) {
#pragma omp parallel for schedule(static) if (count > kSerialElements)
  for (int64_t i = 0; i < count; ++i) {
    y[i] = x[i] / (T(1) + std::exp(-x[i]));
  }
}

template <class T>
void silu_vjp(int64_t count, const T* x, const T* y_bar, bool add, T* x_bar) {
#pragma omp parallel for schedule(static) if (count > kSerialElements)
  for (int64_t i = 0; i < count; ++i) {
    const T sigmoid = T(1) / (T(1) + std::exp(-x[i]));
    const T slope = sigmoid + x[i] * sigmoid * (T(1) - sigmoid);
    x_bar[i] = (add ? x_bar[i] : T(0)) + y_bar[i] * slope;
  }
}

template <class T>
void add_one(int64_t rows, int64_t width, int64_t stride, T* x) {
#pragma omp parallel for schedule(static) if (rows * width > kSerialElements)
  for (int64_t row = 0; row < rows; ++row) {
    T* values = x + row * stride;
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) {
      values[i] += T(1);
    }
  }
}

template <class T>
void gain(int64_t count, const T* weight, const T* scale, T* gain) {
#pragma omp parallel for simd schedule(static) if (parallel : count > kSerialElements)
  for (int64_t i = 0; i < count; ++i) {
    gain[i] = weight[i] * (T(1) + scale[i]);
  }
}

template <class T>
void gain_vjp(int64_t count, const T* weight, const T* scale, const T* gain_bar, T* weight_bar,
              T* scale_bar) {
#pragma omp parallel for simd schedule(static) if (parallel : count > kSerialElements)
  for (int64_t i = 0; i < count; ++i) {
    weight_bar[i] += gain_bar[i] * (T(1) + scale[i]);
    scale_bar[i] = gain_bar[i] * weight[i];
  }
}

template <class T>
constexpr ModulationKernels<T> kTable{&silu<T>, &silu_vjp<T>, &add_one<T>, &gain<T>, &gain_vjp<T>};

}  // namespace

#define EBT_TABLE(T)                                                              \
  template <>                                                                     \
  const ModulationKernels<T>& kernels_for<ModulationKernels<T>, Isa::EBT_ISA>() { \
    return kTable<T>;                                                             \
  }
EBT_TABLE(float)
EBT_TABLE(double)
#undef EBT_TABLE

}  // namespace ebt::kernels
