// The step of vectors (vector_descent.h) for one instruction set.
#include "ebt/kernels/cpu/parallel.h"
#include "ebt/kernels/vector_descent.h"

namespace ebt::kernels {
namespace {

// Rows are few and long: threads share their elements.
template <class T>
void descend(int64_t rows, int64_t width, const T* x, const T* step, const T* g, T* next) {
#pragma omp parallel if (rows * width > kSerialElements)
  for (int64_t row = 0; row < rows; ++row) {
    const T size = step[row];
#pragma omp for simd schedule(static) nowait
    for (int64_t i = row * width; i < (row + 1) * width; ++i) {
      next[i] = x[i] - size * g[i];
    }
  }
}

template <class T>
void vjp(int64_t rows, int64_t width, const T* next_bar, const T* step, T* g_bar) {
#pragma omp parallel if (rows * width > kSerialElements)
  for (int64_t row = 0; row < rows; ++row) {
    const T size = -step[row];
#pragma omp for simd schedule(static) nowait
    for (int64_t i = row * width; i < (row + 1) * width; ++i) {
      g_bar[i] = size * next_bar[i];
    }
  }
}

template <class T>
constexpr VectorDescentKernels<T> kTable{&descend<T>, &vjp<T>};

}  // namespace

#define EBT_TABLE(T)                                                                    \
  template <>                                                                           \
  const VectorDescentKernels<T>& kernels_for<VectorDescentKernels<T>, Isa::EBT_ISA>() { \
    return kTable<T>;                                                                   \
  }
EBT_TABLE(float)
EBT_TABLE(double)
#undef EBT_TABLE

}  // namespace ebt::kernels
