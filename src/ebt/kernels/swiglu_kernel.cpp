#include "ebt/kernels/isa.h"
#include "ebt/kernels/swiglu.h"
#include "ebt/kernels/vector_math.h"

namespace ebt::kernels {
namespace {

// Calls body(i, j) with the positions of a[i] (b is `width` further) and h[j], row by row.
template <class Body>
void for_gates(int64_t rows, int64_t width, Body&& body) {
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t ab_row = row * 2 * width;
    const int64_t h_row = row * width;
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) {
      body(ab_row + i, h_row + i);
    }
  }
}

template <class T>
void forward(int64_t rows, int64_t width, const T* ab, T* h) {
  for_gates(rows, width,
            [=](int64_t i, int64_t j) { h[j] = ab[i] * sigmoid(ab[i]) * ab[i + width]; });
}

// s'(a) = g + a g (1 - g), with g = sigmoid(a).
template <class T>
void vjp(int64_t rows, int64_t width, const T* ab, const T* h_bar, bool add, T* ab_bar) {
  for_gates(rows, width, [=](int64_t i, int64_t j) {
    const T a = ab[i];
    const T g = sigmoid(a);
    const T slope = g + a * g * (T(1) - g);
    ab_bar[i] = (add ? ab_bar[i] : T(0)) + h_bar[j] * slope * ab[i + width];
    ab_bar[i + width] = (add ? ab_bar[i + width] : T(0)) + h_bar[j] * a * g;
  });
}

template <class T>
void jvp(int64_t rows, int64_t width, const T* ab, const T* ab_dot, T* h_dot) {
  for_gates(rows, width, [=](int64_t i, int64_t j) {
    const T a = ab[i];
    const T g = sigmoid(a);
    const T slope = g + a * g * (T(1) - g);
    h_dot[j] = slope * ab_dot[i] * ab[i + width] + a * g * ab_dot[i + width];
  });
}

// s''(a) = g (1 - g) (2 + a (1 - 2 g)).
template <class T>
void vjp_of_jvp(int64_t rows, int64_t width, const T* ab, const T* ab_dot, const T* delta, bool add,
                T* ab_bar) {
  for_gates(rows, width, [=](int64_t i, int64_t j) {
    const T a = ab[i];
    const T g = sigmoid(a);
    const T spread = g * (T(1) - g);
    const T slope = g + a * spread;
    const T bend = spread * (T(2) + a * (T(1) - T(2) * g));
    const T a_bar = delta[j] * (bend * ab_dot[i] * ab[i + width] + slope * ab_dot[i + width]);
    ab_bar[i] = (add ? ab_bar[i] : T(0)) + a_bar;
    ab_bar[i + width] = (add ? ab_bar[i + width] : T(0)) + delta[j] * slope * ab_dot[i];
  });
}

template <class T>
constexpr SwigluKernels<T> kTable{&forward<T>, &vjp<T>, &jvp<T>, &vjp_of_jvp<T>};

}  // namespace

template <>
const SwigluKernels<float>& kernels_for<SwigluKernels<float>, Isa::EBT_ISA>() {
  return kTable<float>;
}
template <>
const SwigluKernels<double>& kernels_for<SwigluKernels<double>, Isa::EBT_ISA>() {
  return kTable<double>;
}

}  // namespace ebt::kernels
