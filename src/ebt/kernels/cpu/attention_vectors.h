// Vectors for the attention kernels, which compute in T and read and write S (T, or Bfloat16 for
// float). For kernel files only (internal linkage).
#pragma once

#include <cmath>
#include <cstdint>

#include "ebt/core/bfloat16.h"
#include "ebt/kernels/cpu/tile.h"
#include "ebt/kernels/cpu/vector_math.h"

#if defined(__AVX512F__)
// GCC 12 warns of the undefined vectors that its own intrinsics start from (GCC bug 105593).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#endif

namespace {

template <class T>
using VectorOf = typename Vector<T>::type;
using Words = uint32_t __attribute__((vector_size(kVectorBytes)));
using HalfWords = uint16_t __attribute__((vector_size(kVectorBytes / 2), aligned(2), may_alias));

template <class T>
inline VectorOf<T> load(const T* from) {
  return *reinterpret_cast<const VectorOf<T>*>(from);
}
inline VectorOf<float> load(const ebt::Bfloat16* from) {
#if defined(__AVX512F__)
  // GCC 12 makes four instructions of the conversion below.
  const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  return reinterpret_cast<VectorOf<float>>(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
#else
  const HalfWords bits = *reinterpret_cast<const HalfWords*>(from);
  return reinterpret_cast<VectorOf<float>>(__builtin_convertvector(bits, Words) << 16U);
#endif
}

template <class T>
inline void store(VectorOf<T> value, T* to) {
  *reinterpret_cast<VectorOf<T>*>(to) = value;
}
inline void store(VectorOf<float> value, ebt::Bfloat16* to) {
#if defined(__AVX512BF16__)
  *reinterpret_cast<HalfWords*>(to) =
      reinterpret_cast<HalfWords>(_mm512_cvtneps_pbh(reinterpret_cast<__m512>(value)));
#else
  for (int i = 0; i < kLanes<float>; ++i) {
    to[i] = ebt::Bfloat16(value[i]);
  }
#endif
}

// The first `count` lanes; the others read as zero and are not written.
template <class T, class S>
inline VectorOf<T> load_first(const S* from, int64_t count) {
  if (count >= kLanes<T>) {
    return load(from);
  }
  alignas(kVectorBytes) T lanes[kLanes<T>] = {};
  for (int64_t i = 0; i < count; ++i) {
    lanes[i] = static_cast<T>(from[i]);
  }
  return load(lanes);
}
template <class T, class S>
inline void store_first(VectorOf<T> value, S* to, int64_t count) {
  if (count >= kLanes<T>) {
    store(value, to);
    return;
  }
  alignas(kVectorBytes) T lanes[kLanes<T>];
  store(value, lanes);
  for (int64_t i = 0; i < count; ++i) {
    to[i] = static_cast<S>(lanes[i]);
  }
}

template <class T>
inline VectorOf<T> fill(T value) {
  return VectorOf<T>{} + value;
}

template <class T>
inline VectorOf<T> larger(VectorOf<T> a, VectorOf<T> b) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == sizeof(float)) {
    return reinterpret_cast<VectorOf<T>>(
        _mm512_max_ps(reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b)));
  }
#endif
  return a > b ? a : b;
}

template <class T>
inline T sum_of_lanes(VectorOf<T> value) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == sizeof(float)) {
    return _mm512_reduce_add_ps(reinterpret_cast<__m512>(value));
  } else {
    return _mm512_reduce_add_pd(reinterpret_cast<__m512d>(value));
  }
#else
  T sum = 0;
  for (int i = 0; i < kLanes<T>; ++i) {
    sum += value[i];
  }
  return sum;
#endif
}

// Softmax weights are powers of 2 in float, which needs no division by ln 2, and of e in double:
// scores are multiplied by kScoreUnit first.
template <class T>
inline constexpr T kScoreUnit = T(1);
template <>
inline constexpr float kScoreUnit<float> = 1.44269504F;

// 2^x for x up to 127: relative error below 2.5e-7, and 0 where the power would not be normal
// (AVX-512 goes on to the smallest denormal).
inline VectorOf<float> power(VectorOf<float> x) {
  using V = VectorOf<float>;
#if defined(__AVX512F__)
  const V whole = reinterpret_cast<V>(_mm512_roundscale_ps(
      reinterpret_cast<__m512>(x), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
#else
  const V bounded = larger<float>(x, fill(-127.0F));
  // Adding 1.5 * 2^23 leaves the nearest integer in the low mantissa bits.
  const V shifted = bounded + 12582912.0F;
  const V whole = shifted - 12582912.0F;
  x = bounded;
#endif
  const V r = x - whole;
  V sum = r * 1.327647198e-3F + 9.675541334e-3F;
  sum = sum * r + 5.550713274e-2F;
  sum = sum * r + 2.402211972e-1F;
  sum = sum * r + 6.931469671e-1F;
  sum = sum * r + 1.0F;
#if defined(__AVX512F__)
  return reinterpret_cast<V>(
      _mm512_scalef_ps(reinterpret_cast<__m512>(sum), reinterpret_cast<__m512>(whole)));
#else
  // At -127 the exponent is 0, and so is the float.
  return sum * reinterpret_cast<V>((reinterpret_cast<Words>(shifted) + 127U) << 23U);
#endif
}
// e^x.
inline VectorOf<double> power(VectorOf<double> x) {
  for (int i = 0; i < kLanes<double>; ++i) {
    x[i] = std::exp(x[i]);
  }
  return x;
}
inline float natural_logarithm(float x) { return logarithm(x); }
inline double natural_logarithm(double x) { return std::log(x); }

// Calls body(i, count) for every vector of a row, `count` being the lanes of it that exist. The
// compiler sees a constant count in all calls but the last.
template <class T, class Body>
inline void for_vectors(int64_t width, Body&& body) {
  int64_t i = 0;
  for (; i + kLanes<T> <= width; i += kLanes<T>) {
    body(i, int64_t{kLanes<T>});
  }
  if (i < width) {
    body(i, width - i);
  }
}

template <class T, class A, class B>
inline T dot(int64_t width, const A* a, const B* b) {
  VectorOf<T> sum{};
  for_vectors<T>(width, [&](int64_t i, int64_t count) {
    sum += load_first<T>(a + i, count) * load_first<T>(b + i, count);
  });
  return sum_of_lanes<T>(sum);
}

// y += scale x.
template <class T, class S>
inline void add_scaled(int64_t width, T scale, const S* x, T* y) {
  for_vectors<T>(width, [&](int64_t i, int64_t count) {
    store_first<T>(load_first<T>(y + i, count) + load_first<T>(x + i, count) * scale, y + i, count);
  });
}

}  // namespace
