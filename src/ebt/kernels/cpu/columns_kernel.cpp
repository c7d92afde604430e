// Operations on the columns of a matrix (columns.h) for one instruction set.
#include "ebt/core/bfloat16.h"
#include "ebt/kernels/columns.h"
#include "ebt/kernels/cpu/row_chunks.h"

namespace ebt::kernels {
namespace {

template <class T, class S>
void sum(int64_t rows, int64_t width, const S* a, const S* b, T* total) {
  for_row_chunks<T>(rows, width, {total, nullptr}, [=](int64_t first, int64_t last, T* own, T*) {
    for (int64_t row = first; row < last; ++row) {
      const S* left = a + row * width;
      const S* right = b == nullptr ? nullptr : b + row * width;
#pragma omp simd
      for (int64_t i = 0; i < width; ++i) {
        own[i] += static_cast<T>(left[i]) * (right == nullptr ? T(1) : static_cast<T>(right[i]));
      }
    }
  });
}

template <class T, class S>
void scale(int64_t rows, int64_t width, const S* x, const T* factors, bool add, S* y) {
#pragma omp parallel for schedule(static) if (rows * width > kSerialElements)
  for (int64_t row = 0; row < rows; ++row) {
    const S* in = x + row * width;
    S* out = y + row * width;
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) {
      out[i] = static_cast<S>((add ? static_cast<T>(out[i]) : T(0)) +
                              static_cast<T>(in[i]) * factors[i]);
    }
  }
}

template <class T, class S>
constexpr ColumnKernels<T, S> kTable{&sum<T, S>, &scale<T, S>};

}  // namespace

#define EBT_TABLE(T, S)                                                         \
  template <>                                                                   \
  const ColumnKernels<T, S>& kernels_for<ColumnKernels<T, S>, Isa::EBT_ISA>() { \
    return kTable<T, S>;                                                        \
  }
EBT_TABLE(float, float)
EBT_TABLE(float, Bfloat16)
EBT_TABLE(double, double)
#undef EBT_TABLE

}  // namespace ebt::kernels
