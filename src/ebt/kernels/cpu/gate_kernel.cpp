// The gate of adaLN branches (gate.h) for one instruction set.
#include "ebt/kernels/cpu/row_chunks.h"
#include "ebt/kernels/cpu/stored.h"
#include "ebt/kernels/gate.h"
#include "ebt/kernels/isa.h"

namespace ebt::kernels {
namespace {

template <class T>
const T* gate_of(const GateArguments<T>& a, int64_t row) {
  return a.groups == 1 ? a.gate : a.gate + row / (a.rows / a.groups) * a.group_stride;
}

template <class T, class S>
void forward(const GateArguments<T>& a, const S* x, bool add, T* y) {
  const int64_t width = a.width;
#pragma omp parallel for schedule(static) if (a.rows * width > kSerialElements)
  for (int64_t row = 0; row < a.rows; ++row) {
    const T* gate = gate_of(a, row);
    const S* in = x + row * width;
    T* out = y + row * width;
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) {
      out[i] = (add ? out[i] : T(0)) + static_cast<T>(in[i]) * gate[i];
    }
  }
}

// out = x gate, or added to it.
template <class T, class S>
inline void put(const T* x, const T* gate, int64_t count, bool add, S* out) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    out[i] = static_cast<S>((add ? static_cast<T>(out[i]) : T(0)) + x[i] * gate[i]);
  }
}

template <class T>
inline void add_products(const T* x, const T* y, int64_t count, T* sum) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    sum[i] += x[i] * y[i];
  }
}

template <class T, class S>
void second_order(const GateArguments<T>& a, const S* x, const S* x_dot, const S* delta,
                  const S* y_bar, bool add, S* x_bar, S* delta_x, T* gate_bar) {
  for_grouped_rows<T>(a.rows, a.width, {a.groups, a.group_stride}, {gate_bar, nullptr},
                      [&](int64_t row, T* own, T* /*unused*/) {
                        const T* gate = gate_of(a, row);
                        for_blocks(a.width, [&](int64_t first, int64_t count) {
                          const int64_t at = row * a.width + first;
                          alignas(64) Block<T> in;
                          alignas(64) Block<T> bar;
                          if (y_bar != nullptr) {
                            load(y_bar + at, count, bar);
                            if (own != nullptr) {
                              load(x + at, count, in);
                              add_products(in, bar, count, own + first);
                            }
                            put(bar, gate + first, count, add, x_bar + at);
                          }
                          if (delta != nullptr) {
                            load(delta + at, count, bar);
                            if (own != nullptr) {
                              load(x_dot + at, count, in);
                              add_products(in, bar, count, own + first);
                            }
                            if (delta_x != nullptr) {
                              put(bar, gate + first, count, false, delta_x + at);
                            }
                          }
                        });
                      });
}

template <class T, class S>
void vjp(const GateArguments<T>& a, const S* x, const S* y_bar, bool add, S* x_bar, T* gate_bar) {
  second_order<T, S>(a, x, nullptr, nullptr, y_bar, add, x_bar, nullptr, gate_bar);
}

template <class T, class S>
constexpr GateKernels<T, S> kTable{&forward<T, S>, &vjp<T, S>, &second_order<T, S>};

}  // namespace

#define EBT_TABLE(T, S)                                                     \
  template <>                                                               \
  const GateKernels<T, S>& kernels_for<GateKernels<T, S>, Isa::EBT_ISA>() { \
    return kTable<T, S>;                                                    \
  }
EBT_TABLE(float, float)
EBT_TABLE(float, Bfloat16)
EBT_TABLE(double, double)
#undef EBT_TABLE

}  // namespace ebt::kernels
