// The gate of SwiGLU and its derivatives (swiglu.h) for one instruction set.
#include "ebt/kernels/cpu/parallel.h"
#include "ebt/kernels/cpu/stored.h"
#include "ebt/kernels/cpu/vector_math.h"
#include "ebt/kernels/isa.h"
#include "ebt/kernels/swiglu.h"

namespace ebt::kernels {
namespace {

// Calls body(i, j, count) with the positions of a block of a (b is `width` further) and of h.
template <class Body>
void for_gates(int64_t rows, int64_t width, Body&& body) {
#pragma omp parallel for schedule(static) if (rows * width > kSerialElements)
  for (int64_t row = 0; row < rows; ++row) {
    for_blocks(width, [&](int64_t first, int64_t count) {
      body(row * 2 * width + first, row * width + first, count);
    });
  }
}

// s(a) and s'(a) = g + a g (1 - g), with g = sigmoid(a).
template <class T>
inline void gate(int64_t count, const T* a, T* value, T* slope) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    const T g = sigmoid(a[i]);
    value[i] = a[i] * g;
    slope[i] = g + a[i] * g * (T(1) - g);
  }
}

// out = x, or out += x.
template <class T, class S>
inline void put(const T* x, int64_t count, bool add, S* out) {
  if (!add) {
    store(x, count, out);
    return;
  }
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    out[i] = static_cast<S>(static_cast<T>(out[i]) + x[i]);
  }
}

template <class T>
inline void multiply(int64_t count, const T* x, const T* y, T* out) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    out[i] = x[i] * y[i];
  }
}

// The loops below count to a known number in full blocks.
template <class T, class S>
void forward(int64_t rows, int64_t width, const S* ab, S* h) {
  for_gates(rows, width, [=](int64_t i, int64_t j, int64_t count) {
    alignas(64) Block<T> a;
    alignas(64) Block<T> b;
    load(ab + i, count, a);
    load(ab + i + width, count, b);
#pragma omp simd
    for (int64_t k = 0; k < count; ++k) {
      a[k] = a[k] * sigmoid(a[k]) * b[k];
    }
    store(a, count, h + j);
  });
}

template <class T, class S>
void vjp(int64_t rows, int64_t width, const S* ab, const S* h_bar, bool add, S* ab_bar, S* h) {
  for_gates(rows, width, [=](int64_t i, int64_t j, int64_t count) {
    alignas(64) Block<T> a;
    alignas(64) Block<T> b;
    alignas(64) Block<T> bar;
    alignas(64) Block<T> value;
    alignas(64) Block<T> slope;
    load(ab + i, count, a);
    load(ab + i + width, count, b);
    load(h_bar + j, count, bar);
    gate(count, a, value, slope);
#pragma omp simd
    for (int64_t k = 0; k < count; ++k) {
      a[k] = bar[k] * slope[k] * b[k];
    }
    put(a, count, add, ab_bar + i);
    multiply(count, bar, value, a);
    put(a, count, add, ab_bar + i + width);
    if (h != nullptr) {
      multiply(count, value, b, a);
      store(a, count, h + j);
    }
  });
}

template <class T, class S>
void jvp(int64_t rows, int64_t width, const S* ab, const S* ab_dot, S* h_dot) {
  for_gates(rows, width, [=](int64_t i, int64_t j, int64_t count) {
    alignas(64) Block<T> a;
    alignas(64) Block<T> b;
    alignas(64) Block<T> a_dot;
    alignas(64) Block<T> b_dot;
    alignas(64) Block<T> value;
    alignas(64) Block<T> slope;
    load(ab + i, count, a);
    load(ab + i + width, count, b);
    load(ab_dot + i, count, a_dot);
    load(ab_dot + i + width, count, b_dot);
    gate(count, a, value, slope);
#pragma omp simd
    for (int64_t k = 0; k < count; ++k) {
      a[k] = slope[k] * a_dot[k] * b[k] + value[k] * b_dot[k];
    }
    store(a, count, h_dot + j);
  });
}

// s''(a) = g (1 - g) (2 + a (1 - 2 g)).
template <class T, class S>
void second_order(int64_t rows, int64_t width, const S* ab, const S* ab_dot, const S* delta,
                  const S* h_bar, bool add, S* ab_bar, S* delta_ab, S* h, S* h_dot) {
  for_gates(rows, width, [=](int64_t i, int64_t j, int64_t count) {
    alignas(64) Block<T> a;
    alignas(64) Block<T> b;
    alignas(64) Block<T> a_dot;
    alignas(64) Block<T> b_dot;
    alignas(64) Block<T> delta_block;
    alignas(64) Block<T> bar;
    alignas(64) Block<T> value;
    alignas(64) Block<T> slope;
    alignas(64) Block<T> curvature;
    alignas(64) Block<T> out;
    load(ab + i, count, a);
    load(ab + i + width, count, b);
    load(ab_dot + i, count, a_dot);
    load(ab_dot + i + width, count, b_dot);
    load(delta + j, count, delta_block);
    if (h_bar != nullptr) {
      load(h_bar + j, count, bar);
    } else {
      for (int64_t k = 0; k < count; ++k) {
        bar[k] = T(0);
      }
    }
#pragma omp simd
    for (int64_t k = 0; k < count; ++k) {
      const T g = sigmoid(a[k]);
      const T sigmoid_slope = g * (T(1) - g);
      value[k] = a[k] * g;
      slope[k] = g + a[k] * sigmoid_slope;
      curvature[k] = sigmoid_slope * (T(2) + a[k] * (T(1) - T(2) * g));
    }
#pragma omp simd
    for (int64_t k = 0; k < count; ++k) {
      out[k] = delta_block[k] * (curvature[k] * a_dot[k] * b[k] + slope[k] * b_dot[k]) +
               bar[k] * slope[k] * b[k];
    }
    put(out, count, add, ab_bar + i);
#pragma omp simd
    for (int64_t k = 0; k < count; ++k) {
      out[k] = delta_block[k] * slope[k] * a_dot[k] + bar[k] * value[k];
    }
    put(out, count, add, ab_bar + i + width);
    if (delta_ab != nullptr) {
#pragma omp simd
      for (int64_t k = 0; k < count; ++k) {
        out[k] = delta_block[k] * slope[k] * b[k];
      }
      store(out, count, delta_ab + i);
      multiply(count, delta_block, value, out);
      store(out, count, delta_ab + i + width);
    }
    if (h != nullptr) {
      multiply(count, value, b, out);
      store(out, count, h + j);
    }
    if (h_dot != nullptr) {
#pragma omp simd
      for (int64_t k = 0; k < count; ++k) {
        out[k] = slope[k] * a_dot[k] * b[k] + value[k] * b_dot[k];
      }
      store(out, count, h_dot + j);
    }
  });
}

template <class T, class S>
constexpr SwigluKernels<T, S> kTable{&forward<T, S>, &vjp<T, S>, &jvp<T, S>, &second_order<T, S>};

}  // namespace

#define EBT_TABLE(T, S)                                                         \
  template <>                                                                   \
  const SwigluKernels<T, S>& kernels_for<SwigluKernels<T, S>, Isa::EBT_ISA>() { \
    return kTable<T, S>;                                                        \
  }
EBT_TABLE(float, float)
EBT_TABLE(float, Bfloat16)
EBT_TABLE(double, double)
#undef EBT_TABLE

}  // namespace ebt::kernels
