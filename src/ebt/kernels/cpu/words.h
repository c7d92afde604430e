// Loads and products of packed values (pack.h): a word is a number, or a pair of bf16. For kernel
// files only (internal linkage).
#pragma once

#include <cstdint>

#include "ebt/kernels/cpu/attention_vectors.h"
#include "ebt/kernels/pack.h"

namespace {

// Two bf16, the first in the lower half.
using Pair = uint32_t __attribute__((may_alias));

template <class S>
struct WordOf {
  using type = S;
};
template <>
struct WordOf<ebt::Bfloat16> {
  using type = Pair;
};
template <class S>
using Word = typename WordOf<S>::type;

inline VectorOf<float> lower_halves(Words pairs) {
  return reinterpret_cast<VectorOf<float>>(pairs << 16U);
}
inline VectorOf<float> upper_halves(Words pairs) {
  return reinterpret_cast<VectorOf<float>>(pairs & 0xFFFF0000U);
}

inline VectorOf<float> load_words(const float* from) { return load(from); }
inline VectorOf<double> load_words(const double* from) { return load(from); }
inline Words load_words(const Pair* from) {
  return reinterpret_cast<Words>(load(reinterpret_cast<const float*>(from)));
}
// The first `count` lanes; the others read as zero.
template <class X>
inline auto load_first_words(const X* from, int64_t count) {
  constexpr int64_t kWordLanes = kVectorBytes / static_cast<int64_t>(sizeof(X));
  if (count >= kWordLanes) {
    return load_words(from);
  }
  alignas(kVectorBytes) X lanes[kWordLanes] = {};
  for (int64_t i = 0; i < count; ++i) {
    lanes[i] = from[i];
  }
  return load_words(lanes);
}

// sum + left right; of pairs, sum + left_0 right_0 + left_1 right_1.
template <class T>
inline VectorOf<T> multiply_add(T left, VectorOf<T> right, VectorOf<T> sum) {
  return sum + right * left;
}
inline VectorOf<float> multiply_add(Pair left, Words right, VectorOf<float> sum) {
#if defined(__AVX512BF16__)
  return reinterpret_cast<VectorOf<float>>(
      _mm512_dpbf16_ps(reinterpret_cast<__m512>(sum),
                       (__m512bh)(_mm512_set1_epi32(static_cast<int>(left))), (__m512bh)(right)));
#else
  const Words both = Words{} + left;
  sum += lower_halves(right) * lower_halves(both);
  return sum + upper_halves(right) * upper_halves(both);
#endif
}

// `count` numbers as words: where they are, or rounded in `memory`, the last one filled up with a
// zero.
template <class T>
inline const T* words_of(int64_t /*count*/, const T* x, T* /*memory*/) {
  return x;
}
inline const Pair* words_of(int64_t count, const float* x, Pair* memory) {
  auto* out = reinterpret_cast<ebt::Bfloat16*>(memory);
  for_vectors<float>(count, [&](int64_t i, int64_t lanes) {
    store_first<float>(load_first<float>(x + i, lanes), out + i, lanes);
  });
  if (count % 2 != 0) {
    out[count] = ebt::Bfloat16(0.0F);
  }
  return memory;
}
template <class S>
inline constexpr int64_t words(int64_t count) {
  return (count + ebt::kernels::kPack<S> - 1) / ebt::kernels::kPack<S>;
}

}  // namespace
