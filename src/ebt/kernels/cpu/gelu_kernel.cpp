// GELU and its derivatives (gelu.h) for one instruction set.
#include "ebt/kernels/cpu/parallel.h"
#include "ebt/kernels/cpu/stored.h"
#include "ebt/kernels/cpu/vector_math.h"
#include "ebt/kernels/gelu.h"
#include "ebt/kernels/isa.h"

namespace ebt::kernels {
namespace {

template <class T>
inline constexpr T kSlope = T(1.5957691216057308);  // 2 sqrt(2/pi)
template <class T>
inline constexpr T kCubic = kSlope<T>* T(0.044715);

// Calls body(first, count) for blocks of elements in parallel.
template <class Body>
void for_elements(int64_t count, Body&& body) {
  const int64_t blocks = (count + kBlock - 1) / kBlock;
#pragma omp parallel for schedule(static) if (count > kSerialElements)
  for (int64_t block = 0; block < blocks; ++block) {
    const int64_t first = block * kBlock;
    if (count - first >= kBlock) {
      body(first, kBlock);  // the count is known here: full blocks need no tail
    } else {
      body(first, count - first);
    }
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

template <class T, class S>
inline void put_product(const T* x, const T* y, int64_t count, bool add, S* out) {
  alignas(64) Block<T> product;
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    product[i] = x[i] * y[i];
  }
  put(product, count, add, out);
}

template <class T>
inline T squashed(T x) {
  return sigmoid(x * (kSlope<T> + kCubic<T> * x * x));
}

// Value and slope.
template <class T>
inline void rise(int64_t count, const T* x, T* value, T* slope) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    const T s = squashed(x[i]);
    const T v1 = kSlope<T> + T(3) * kCubic<T> * x[i] * x[i];
    value[i] = x[i] * s;
    slope[i] = s + x[i] * s * (T(1) - s) * v1;
  }
}

template <class T, class S>
void forward(int64_t size, const S* x, S* h) {
  for_elements(size, [=](int64_t first, int64_t count) {
    alignas(64) Block<T> in;
    load(x + first, count, in);
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) {
      in[i] = in[i] * squashed(in[i]);
    }
    store(in, count, h + first);
  });
}

template <class T, class S>
void vjp(int64_t size, const S* x, const S* h_bar, bool add, S* x_bar, S* h) {
  for_elements(size, [=](int64_t first, int64_t count) {
    alignas(64) Block<T> in;
    alignas(64) Block<T> bar;
    alignas(64) Block<T> value;
    alignas(64) Block<T> slope;
    load(x + first, count, in);
    load(h_bar + first, count, bar);
    rise(count, in, value, slope);
    put_product(bar, slope, count, add, x_bar + first);
    if (h != nullptr) {
      store(value, count, h + first);
    }
  });
}

template <class T, class S>
void jvp(int64_t size, const S* x, const S* x_dot, S* h_dot) {
  for_elements(size, [=](int64_t first, int64_t count) {
    alignas(64) Block<T> in;
    alignas(64) Block<T> dot;
    alignas(64) Block<T> value;
    alignas(64) Block<T> slope;
    load(x + first, count, in);
    load(x_dot + first, count, dot);
    rise(count, in, value, slope);
    put_product(dot, slope, count, false, h_dot + first);
  });
}

template <class T, class S>
void second_order(int64_t size, const S* x, const S* x_dot, const S* delta, const S* h_bar,
                  bool add, S* x_bar, S* delta_x, S* h, S* h_dot) {
  for_elements(size, [=](int64_t first, int64_t count) {
    alignas(64) Block<T> in;
    alignas(64) Block<T> dot;
    alignas(64) Block<T> low;
    alignas(64) Block<T> bar;
    alignas(64) Block<T> value;
    alignas(64) Block<T> slope;
    alignas(64) Block<T> out;
    load(x + first, count, in);
    load(x_dot + first, count, dot);
    load(delta + first, count, low);
    if (h_bar != nullptr) {
      load(h_bar + first, count, bar);
    } else {
      for (int64_t i = 0; i < count; ++i) {
        bar[i] = T(0);
      }
    }
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) {
      const T s = squashed(in[i]);
      const T k = s * (T(1) - s);
      const T v1 = kSlope<T> + T(3) * kCubic<T> * in[i] * in[i];
      const T v2 = T(6) * kCubic<T> * in[i];
      const T bend = k * (T(2) * v1 + in[i] * ((T(1) - T(2) * s) * v1 * v1 + v2));
      value[i] = in[i] * s;
      slope[i] = s + in[i] * k * v1;
      out[i] = bar[i] * slope[i] + low[i] * bend * dot[i];
    }
    put(out, count, add, x_bar + first);
    if (delta_x != nullptr) {
      put_product(low, slope, count, false, delta_x + first);
    }
    if (h != nullptr) {
      store(value, count, h + first);
    }
    if (h_dot != nullptr) {
      put_product(dot, slope, count, false, h_dot + first);
    }
  });
}

template <class T, class S>
constexpr GeluKernels<T, S> kTable{&forward<T, S>, &vjp<T, S>, &jvp<T, S>, &second_order<T, S>};

}  // namespace

#define EBT_TABLE(T, S)                                                     \
  template <>                                                               \
  const GeluKernels<T, S>& kernels_for<GeluKernels<T, S>, Isa::EBT_ISA>() { \
    return kTable<T, S>;                                                    \
  }
EBT_TABLE(float, float)
EBT_TABLE(float, Bfloat16)
EBT_TABLE(double, double)
#undef EBT_TABLE

}  // namespace ebt::kernels
