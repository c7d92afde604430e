// Operations on the rows of a matrix (rows.h) for one instruction set.
#include "ebt/kernels/cpu/parallel.h"
#include "ebt/kernels/rows.h"

namespace ebt::kernels {
namespace {

template <class T>
void dot(int64_t rows, int64_t width, const T* a, const T* b, T* out) {
#pragma omp parallel for schedule(static) if (rows * width > kSerialElements)
  for (int64_t row = 0; row < rows; ++row) {
    const T* left = a + row * width;
    const T* right = b + row * width;
    T sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < width; ++i) {
      sum += left[i] * right[i];
    }
    out[row] = sum;
  }
}

template <class T>
void mean(int64_t rows, int64_t width, const T* x, T* out) {
#pragma omp parallel for schedule(static) if (rows * width > kSerialElements)
  for (int64_t row = 0; row < rows; ++row) {
    T sum = 0;
    for (int64_t i = row * width; i < (row + 1) * width; ++i) {
      sum += x[i];
    }
    out[row] = sum / static_cast<T>(width);
  }
}

template <class T>
void scale(int64_t rows, int64_t width, const T* factors, const T* x, T* y) {
#pragma omp parallel for schedule(static) if (rows * width > kSerialElements)
  for (int64_t row = 0; row < rows; ++row) {
    const T factor = factors[row];
#pragma omp simd
    for (int64_t i = row * width; i < (row + 1) * width; ++i) {
      y[i] = factor * x[i];
    }
  }
}

template <class T>
void argmax(int64_t rows, int64_t width, const T* x, int32_t* out) {
#pragma omp parallel for schedule(static) if (rows * width > kSerialElements)
  for (int64_t row = 0; row < rows; ++row) {
    const T* in = x + row * width;
    int64_t best = 0;
    for (int64_t i = 1; i < width; ++i) {
      best = in[i] > in[best] ? i : best;
    }
    out[row] = static_cast<int32_t>(best);
  }
}

template <class T>
void repeat(int64_t rows, int64_t width, T factor, const T* x, T* y) {
#pragma omp parallel for schedule(static) if (rows * width > kSerialElements)
  for (int64_t row = 0; row < rows; ++row) {
    T* out = y + row * width;
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) {
      out[i] = factor * x[i];
    }
  }
}

template <class T>
void one_hot(int64_t rows, int64_t width, const int32_t* targets, T* y) {
#pragma omp parallel for schedule(static) if (rows * width > kSerialElements)
  for (int64_t row = 0; row < rows; ++row) {
    T* out = y + row * width;
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) {
      out[i] = T(0);
    }
    if (targets[row] >= 0) {
      out[targets[row]] = T(1);
    }
  }
}

template <class T>
constexpr RowKernels<T> kTable{&dot<T>, &mean<T>, &scale<T>, &argmax<T>, &repeat<T>, &one_hot<T>};

}  // namespace

#define EBT_TABLE(T)                                                \
  template <>                                                       \
  const RowKernels<T>& kernels_for<RowKernels<T>, Isa::EBT_ISA>() { \
    return kTable<T>;                                               \
  }
EBT_TABLE(float)
EBT_TABLE(double)
#undef EBT_TABLE

}  // namespace ebt::kernels
