// Normal numbers in bulk (random.h) for one instruction set.
#include <cmath>

#include "ebt/kernels/cpu/parallel.h"
#include "ebt/kernels/cpu/vector_math.h"
#include "ebt/kernels/isa.h"
#include "ebt/kernels/random.h"

namespace ebt::kernels {
namespace {

// Groups of four words made together, one per vector lane.
constexpr int kGroups = 32;

// Philox 4x32-10 of kGroups consecutive counters: words[w][g] is word w of group g. Written out
// lane by lane, where Random123's is group by group, so that it vectorises; core/rng_test.cpp
// holds the two together.
void philox(PhiloxStream stream, uint64_t first_group, uint32_t words[4][kGroups]) {
  for (int g = 0; g < kGroups; ++g) {
    const uint64_t group = first_group + static_cast<uint64_t>(g);
    words[0][g] = static_cast<uint32_t>(group);
    words[1][g] = static_cast<uint32_t>(group >> 32U);
    words[2][g] = stream.step;
    words[3][g] = stream.purpose;
  }
  uint32_t key0 = stream.key[0];
  uint32_t key1 = stream.key[1];
  for (int round = 0; round < 10; ++round) {
#pragma omp simd
    for (int g = 0; g < kGroups; ++g) {
      const uint64_t product0 = uint64_t{0xD2511F53U} * words[0][g];
      const uint64_t product1 = uint64_t{0xCD9E8D57U} * words[2][g];
      const uint32_t next0 = static_cast<uint32_t>(product1 >> 32U) ^ words[1][g] ^ key0;
      const uint32_t next2 = static_cast<uint32_t>(product0 >> 32U) ^ words[3][g] ^ key1;
      words[1][g] = static_cast<uint32_t>(product1);
      words[3][g] = static_cast<uint32_t>(product0);
      words[0][g] = next0;
      words[2][g] = next2;
    }
    key0 += 0x9E3779B9U;
    key1 += 0xBB67AE85U;
  }
}

// sin and cos of 2 pi turn, turn in [0, 1).
void sine_cosine(float turn, float* sine, float* cosine) {
  const float quarter = turn * 4.0F + 12582912.0F;  // nearest quarter turn in the low bits
  const uint32_t quadrant = bit_cast_to<uint32_t>(quarter);
  const float angle = (turn - (quarter - 12582912.0F) * 0.25F) * 6.28318531F;
  const float q = angle * angle;
  float s = 1.0F / 362880.0F;
  s = s * q - 1.0F / 5040.0F;
  s = s * q + 1.0F / 120.0F;
  s = s * q - 1.0F / 6.0F;
  s = angle + angle * q * s;
  float c = -1.0F / 3628800.0F;
  c = c * q + 1.0F / 40320.0F;
  c = c * q - 1.0F / 720.0F;
  c = c * q + 1.0F / 24.0F;
  c = c * q - 0.5F;
  c = 1.0F + q * c;
  const bool swap = (quadrant & 1U) != 0;
  const float sine_size = swap ? c : s;
  const float cosine_size = swap ? s : c;
  *sine = (quadrant & 2U) != 0 ? -sine_size : sine_size;
  *cosine = ((quadrant + 1U) & 2U) != 0 ? -cosine_size : cosine_size;
}

// Words (0, 1) and (2, 3) of a group give normals 0, 1 and 2, 3.
void normals(const uint32_t words[4][kGroups], float out[4][kGroups]) {
  for (int pair = 0; pair < 4; pair += 2) {
#pragma omp simd
    for (int g = 0; g < kGroups; ++g) {
      const float u = (static_cast<float>(words[pair][g] >> 8U) + 0.5F) * 0x1p-24F;
      const float turn = static_cast<float>(words[pair + 1][g] >> 8U) * 0x1p-24F;
      const float radius = std::sqrt(-2.0F * logarithm(u));
      float sine;
      float cosine;
      sine_cosine(turn, &sine, &cosine);
      out[pair][g] = radius * cosine;
      out[pair + 1][g] = radius * sine;
    }
  }
}

// Calls make(words, values) for the blocks of elements in parallel, and writes what it makes for
// [first, first + count), scaled.
template <class T, class Make>
void draw(PhiloxStream stream, uint64_t first, int64_t count, T scale, T* out, Make&& make) {
  const uint64_t span = 4 * kGroups;
  const uint64_t last = first + static_cast<uint64_t>(count);
  const auto first_block = static_cast<int64_t>(first / span);
  const auto last_block = static_cast<int64_t>((last + span - 1) / span);
#pragma omp parallel for schedule(static) if (count > kSerialElements)
  for (int64_t block = first_block; block < last_block; ++block) {
    alignas(64) uint32_t words[4][kGroups];
    alignas(64) float values[4][kGroups];
    const uint64_t begin = static_cast<uint64_t>(block) * span;
    philox(stream, begin / 4, words);
    make(words, values);
    for (uint64_t i = 0; i < span; ++i) {
      const uint64_t element = begin + i;
      if (element >= first && element < last) {
        out[element - first] = static_cast<T>(values[i % 4][i / 4]) * scale;
      }
    }
  }
}

template <class T>
void normal(PhiloxStream stream, uint64_t first, int64_t count, T scale, T* out) {
  draw(stream, first, count, scale, out,
       [](const uint32_t words[4][kGroups], float values[4][kGroups]) { normals(words, values); });
}

template <class T>
void uniform(PhiloxStream stream, uint64_t first, int64_t count, T* out) {
  draw(stream, first, count, T(1), out,
       [](const uint32_t words[4][kGroups], float values[4][kGroups]) {
         for (int word = 0; word < 4; ++word) {
#pragma omp simd
           for (int g = 0; g < kGroups; ++g) {
             values[word][g] = static_cast<float>(words[word][g] >> 8U) * 0x1p-24F;
           }
         }
       });
}

template <class T>
constexpr RandomKernels<T> kTable{&normal<T>, &uniform<T>};

}  // namespace

#define EBT_TABLE(T)                                                      \
  template <>                                                             \
  const RandomKernels<T>& kernels_for<RandomKernels<T>, Isa::EBT_ISA>() { \
    return kTable<T>;                                                     \
  }
EBT_TABLE(float)
EBT_TABLE(double)
#undef EBT_TABLE

}  // namespace ebt::kernels
