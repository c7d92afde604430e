// The step of distributions (simplex_descent.h) for one instruction set.
#include "ebt/core/bfloat16.h"
#include "ebt/kernels/cpu/parallel.h"
#include "ebt/kernels/simplex_descent.h"

namespace ebt::kernels {
namespace {

template <class T>
inline T magnitude(T x) {
  return x < T(0) ? -x : x;
}

template <class T, class S>
void descend(int64_t rows, int64_t width, const S* p, const T* step, const T* bound, T* g,
             T* next) {
#pragma omp parallel for schedule(static) if (rows * width > kSerialElements)
  for (int64_t row = 0; row < rows; ++row) {
    T* slope = g + row * width;
    if (bound != nullptr) {
      const T limit = bound[row];
#pragma omp simd
      for (int64_t i = 0; i < width; ++i) {
        slope[i] = slope[i] > limit ? limit : (slope[i] < -limit ? -limit : slope[i]);
      }
    }
    const S* from = p + row * width;
    T* to = next + row * width;
    const T size = step[row];
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) {
      to[i] = static_cast<T>(from[i]) - size * slope[i];
    }
  }
}

template <class T, class S>
void vjp(int64_t rows, int64_t width, const T* next_bar, const T* step, const T* bound, const T* g,
         S* g_bar) {
#pragma omp parallel for schedule(static) if (rows * width > kSerialElements)
  for (int64_t row = 0; row < rows; ++row) {
    const T* bar = next_bar + row * width;
    S* out = g_bar + row * width;
    const T size = -step[row];
    if (bound == nullptr) {
#pragma omp simd
      for (int64_t i = 0; i < width; ++i) {
        out[i] = static_cast<S>(size * bar[i]);
      }
      continue;
    }
    const T* slope = g + row * width;
    const T limit = bound[row];
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) {
      out[i] = static_cast<S>(magnitude(slope[i]) >= limit ? T(0) : size * bar[i]);
    }
  }
}

template <class T, class S>
void step_gradient(int64_t rows, int64_t width, const T* next_bar, const T* step, const T* bound,
                   const T* g, T* out) {
#pragma omp parallel for schedule(static) if (rows * width > kSerialElements)
  for (int64_t row = 0; row < rows; ++row) {
    const T* bar = next_bar + row * width;
    const T* slope = g + row * width;
    T sum = 0;
    if (bound == nullptr) {
#pragma omp simd reduction(+ : sum)
      for (int64_t i = 0; i < width; ++i) {
        sum += bar[i] * slope[i];
      }
    } else {
      const T limit = bound[row];
#pragma omp simd reduction(+ : sum)
      for (int64_t i = 0; i < width; ++i) {
        sum += magnitude(slope[i]) >= limit ? T(0) : bar[i] * slope[i];
      }
    }
    out[row] = sum * step[row];
  }
}

template <class T, class S>
constexpr SimplexDescentKernels<T, S> kTable{&descend<T, S>, &vjp<T, S>, &step_gradient<T, S>};

}  // namespace

#define EBT_TABLE(T, S)                                                                         \
  template <>                                                                                   \
  const SimplexDescentKernels<T, S>& kernels_for<SimplexDescentKernels<T, S>, Isa::EBT_ISA>() { \
    return kTable<T, S>;                                                                        \
  }
EBT_TABLE(float, float)
EBT_TABLE(float, Bfloat16)
EBT_TABLE(double, double)
#undef EBT_TABLE

}  // namespace ebt::kernels
