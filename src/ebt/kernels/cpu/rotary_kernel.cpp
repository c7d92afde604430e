// Rotary positions (rotary.h) for one instruction set.
#include "ebt/kernels/cpu/parallel.h"
#include "ebt/kernels/cpu/stored.h"
#include "ebt/kernels/rotary.h"

namespace ebt::kernels {
namespace {

// Turns one head.
template <class T, class In, class Out>
inline void turn(int64_t pairs, const T* cosine, const T* sine, T direction, const In* from,
                 Out* to) {
  for_blocks(pairs, [=](int64_t first, int64_t count) {
    alignas(64) T values[2 * kBlock];
    alignas(64) T turned[2 * kBlock];
    load(from + 2 * first, 2 * count, values);
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) {
      const T c = cosine[first + i];
      const T s = direction * sine[first + i];
      turned[2 * i] = values[2 * i] * c - values[2 * i + 1] * s;
      turned[2 * i + 1] = values[2 * i] * s + values[2 * i + 1] * c;
    }
    store(turned, 2 * count, to + 2 * first);
  });
}

template <class T, class S>
void rotate(int64_t rows, RotaryAngles<T> angles, int64_t stride, T direction, S* x) {
  const int64_t pairs = angles.width / 2;
#pragma omp parallel for schedule(static) if (rows * stride > kSerialElements)
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t at = row % angles.positions * pairs;
    for (int64_t head = 0; head < angles.heads; ++head) {
      S* values = x + row * stride + head * angles.width;
      turn(pairs, angles.cosine + at, angles.sine + at, direction, values, values);
    }
  }
}

template <class T, class S>
void keys_vjp(int64_t rows, RotaryAngles<T> angles, const T* keys_bar, S* qkv_bar) {
  const int64_t pairs = angles.width / 2;
  const int64_t width = angles.heads * angles.width;
#pragma omp parallel for schedule(static) if (rows * 3 * width > kSerialElements)
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t at = row % angles.positions * pairs;
    const T* k_bar = keys_bar + row * 2 * width;
    S* out = qkv_bar + row * 3 * width + width;
    for (int64_t head = 0; head < angles.heads; ++head) {
      turn(pairs, angles.cosine + at, angles.sine + at, T(-1), k_bar + head * angles.width,
           out + head * angles.width);
    }
    store(k_bar + width, width, out + width);
  }
}

template <class T, class S>
constexpr RotaryKernels<T, S> kTable{&rotate<T, S>, &keys_vjp<T, S>};

}  // namespace

#define EBT_TABLE(T, S)                                                         \
  template <>                                                                   \
  const RotaryKernels<T, S>& kernels_for<RotaryKernels<T, S>, Isa::EBT_ISA>() { \
    return kTable<T, S>;                                                        \
  }
EBT_TABLE(float, float)
EBT_TABLE(float, Bfloat16)
EBT_TABLE(double, double)
#undef EBT_TABLE

}  // namespace ebt::kernels
