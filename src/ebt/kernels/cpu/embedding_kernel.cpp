// Embeddings of tokens (embedding.h) for one instruction set.
#include "ebt/kernels/cpu/parallel.h"
#include "ebt/kernels/embedding.h"

namespace ebt::kernels {
namespace {

// Columns that one thread adds up.
constexpr int64_t kColumns = 64;

template <class T>
void gather(int64_t count, int64_t width, const int32_t* tokens, const T* weight, T* y) {
#pragma omp parallel for schedule(static) if (count * width > kSerialElements)
  for (int64_t n = 0; n < count; ++n) {
    const T* from = weight + tokens[n] * width;
    T* to = y + n * width;
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) {
      to[i] = from[i];
    }
  }
}

template <class T>
void scatter_add(int64_t count, int64_t width, const int32_t* tokens, const T* y_bar,
                 T* weight_bar) {
#pragma omp parallel for schedule(static) if (count * width > kSerialElements)
  for (int64_t first = 0; first < width; first += kColumns) {
    const int64_t last = first + kColumns < width ? first + kColumns : width;
    for (int64_t n = 0; n < count; ++n) {
      T* out = weight_bar + tokens[n] * width;
      const T* bar = y_bar + n * width;
#pragma omp simd
      for (int64_t i = first; i < last; ++i) {
        out[i] += bar[i];
      }
    }
  }
}

template <class T>
void prepend(int64_t sequences, int64_t length, int64_t width, const T* first, const T* x, T* y) {
#pragma omp parallel for schedule(static) if (sequences * length * width > kSerialElements)
  for (int64_t row = 0; row < sequences * (length + 1); ++row) {
    const int64_t at = row % (length + 1);
    const T* from = at == 0 ? first : x + (row / (length + 1) * length + at - 1) * width;
    T* to = y + row * width;
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) {
      to[i] = from == nullptr ? T(0) : from[i];
    }
  }
}

template <class T>
void prepend_vjp(int64_t sequences, int64_t length, int64_t width, const T* y_bar, bool add,
                 T* x_bar, T* first_bar) {
#pragma omp parallel for schedule(static) if (sequences * length * width > kSerialElements)
  for (int64_t row = 0; row < sequences * length; ++row) {
    const T* bar = y_bar + (row + row / length + 1) * width;
    T* out = x_bar + row * width;
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) {
      out[i] = (add ? out[i] : T(0)) + bar[i];
    }
  }
  for (int64_t s = 0; s < sequences && first_bar != nullptr; ++s) {
    const T* bar = y_bar + s * (length + 1) * width;
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) {
      first_bar[i] += bar[i];
    }
  }
}

template <class T>
constexpr EmbeddingKernels<T> kTable{&gather<T>, &scatter_add<T>, &prepend<T>, &prepend_vjp<T>};

}  // namespace

#define EBT_TABLE(T)                                                            \
  template <>                                                                   \
  const EmbeddingKernels<T>& kernels_for<EmbeddingKernels<T>, Isa::EBT_ISA>() { \
    return kTable<T>;                                                           \
  }
EBT_TABLE(float)
EBT_TABLE(double)
#undef EBT_TABLE

}  // namespace ebt::kernels
