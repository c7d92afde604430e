#include <cmath>

#include "ebt/kernels/isa.h"
#include "ebt/kernels/rms_norm.h"
#include "ebt/kernels/row_chunks.h"

namespace ebt::kernels {
namespace {

template <class T>
void forward(int64_t rows, int64_t width, const T* x, const T* weight, T eps, T* y,
             T* inverse_rms) {
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < rows; ++row) {
    const T* in = x + row * width;
    T* out = y + row * width;
    T squares = 0;
#pragma omp simd reduction(+ : squares)
    for (int64_t i = 0; i < width; ++i) {
      squares += in[i] * in[i];
    }
    const T r = T(1) / std::sqrt(squares / static_cast<T>(width) + eps);
    inverse_rms[row] = r;
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) {
      out[i] = in[i] * r * weight[i];
    }
  }
}

template <class T>
void vjp(int64_t rows, int64_t width, const T* x, const T* inverse_rms, const T* weight,
         const T* y_bar, bool add, T* x_bar, T* weight_bar) {
  for_row_chunks(rows, width, weight_bar, [=](int64_t first, int64_t last, T* partial) {
    for (int64_t row = first; row < last; ++row) {
      const T* in = x + row * width;
      const T* bar = y_bar + row * width;
      T* out = x_bar + row * width;
      const T r = inverse_rms[row];
      T along = 0;  // g.x
#pragma omp simd reduction(+ : along)
      for (int64_t i = 0; i < width; ++i) {
        along += bar[i] * weight[i] * in[i];
      }
      const T pull = along * r * r * r / static_cast<T>(width);
#pragma omp simd
      for (int64_t i = 0; i < width; ++i) {
        out[i] = (add ? out[i] : T(0)) + r * bar[i] * weight[i] - pull * in[i];
      }
      if (partial != nullptr) {
#pragma omp simd
        for (int64_t i = 0; i < width; ++i) {
          partial[i] += bar[i] * in[i] * r;
        }
      }
    }
  });
}

template <class T>
void jvp(int64_t rows, int64_t width, const T* x, const T* inverse_rms, const T* weight,
         const T* x_dot, T* y_dot) {
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < rows; ++row) {
    const T* in = x + row * width;
    const T* dot = x_dot + row * width;
    T* out = y_dot + row * width;
    const T r = inverse_rms[row];
    T along = 0;  // x.x_dot
#pragma omp simd reduction(+ : along)
    for (int64_t i = 0; i < width; ++i) {
      along += in[i] * dot[i];
    }
    const T pull = along * r * r * r / static_cast<T>(width);
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) {
      out[i] = weight[i] * (r * dot[i] - pull * in[i]);
    }
  }
}

// With g = w delta, a = g.x_dot, b = x.x_dot, c = g.x, the pairing is r a - r^3 b c / D, and
//   x_bar = -(r^3/D) (a x + c x_dot + b g) + 3 (r^5/D^2) b c x.
template <class T>
void vjp_of_jvp(int64_t rows, int64_t width, const T* x, const T* inverse_rms, const T* weight,
                const T* x_dot, const T* delta, bool add, T* x_bar, T* weight_bar) {
  for_row_chunks(rows, width, weight_bar, [=](int64_t first, int64_t last, T* partial) {
    for (int64_t row = first; row < last; ++row) {
      const T* in = x + row * width;
      const T* dot = x_dot + row * width;
      const T* bar = delta + row * width;
      T* out = x_bar + row * width;
      const T r = inverse_rms[row];
      T a = 0;
      T b = 0;
      T c = 0;
#pragma omp simd reduction(+ : a, b, c)
      for (int64_t i = 0; i < width; ++i) {
        const T g = bar[i] * weight[i];
        a += g * dot[i];
        b += in[i] * dot[i];
        c += g * in[i];
      }
      const T cube = r * r * r / static_cast<T>(width);
      const T on_x = T(3) * cube * r * r * b * c / static_cast<T>(width) - cube * a;
      const T on_dot = -cube * c;
      const T on_g = -cube * b;
#pragma omp simd
      for (int64_t i = 0; i < width; ++i) {
        out[i] = (add ? out[i] : T(0)) + on_x * in[i] + on_dot * dot[i] + on_g * bar[i] * weight[i];
      }
      if (partial != nullptr) {
        const T pull = b * cube;
#pragma omp simd
        for (int64_t i = 0; i < width; ++i) {
          partial[i] += bar[i] * (r * dot[i] - pull * in[i]);
        }
      }
    }
  });
}

template <class T>
constexpr RmsNormKernels<T> kTable{&forward<T>, &vjp<T>, &jvp<T>, &vjp_of_jvp<T>};

}  // namespace

template <>
const RmsNormKernels<float>& kernels_for<RmsNormKernels<float>, Isa::EBT_ISA>() {
  return kTable<float>;
}
template <>
const RmsNormKernels<double>& kernels_for<RmsNormKernels<double>, Isa::EBT_ISA>() {
  return kTable<double>;
}

}  // namespace ebt::kernels
