// Packed operands and register-blocked products of the attention kernels. For kernel files only
// (internal linkage).
//
// A tile holds kKeys rows of kQueries scores: keys run down, queries across, so that what belongs
// to a query (its row maximum, its row sum) is a lane of a vector. A product's left operand is read
// one unit at a time and broadcast over a vector, its right operand a vector at a time. A unit is a
// number, or a pair of bfloat16 along the summed axis where the CPU multiplies pairs.
#pragma once

#include <cstdint>
#include <cstring>

#include "ebt/kernels/cpu/attention_vectors.h"

namespace {

inline constexpr int64_t kQueries = 64;
inline constexpr int64_t kKeys = 64;
// What is computed for a tile on the diagonal is cut to blocks of this many queries. Row counts of
// a tile are rounded up to groups of kGroup keys.
inline constexpr int64_t kBlock = 16;
inline constexpr int64_t kGroup = 8;

inline int64_t round_up(int64_t count, int64_t to) { return (count + to - 1) / to * to; }
inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t clamp(int64_t x, int64_t most) { return x < 0 ? 0 : smaller(x, most); }

template <class T, class S>
struct Packing {
  using Unit = T;
  static constexpr int64_t kDepth = 1;  // elements of the summed axis in a unit
};

#if defined(__AVX512BF16__)
struct Pair {
  uint32_t bits;  // the earlier element in the low half
};
template <>
struct Packing<float, ebt::Bfloat16> {
  using Unit = Pair;
  static constexpr int64_t kDepth = 2;
};
#endif

template <class Unit>
struct Operand {
  const Unit* data;
  int64_t row;
  int64_t column;
};

template <class T>
inline VectorOf<T> multiply_add(VectorOf<T> sum, T left, VectorOf<T> right) {
  return sum + right * left;
}
template <class T>
inline VectorOf<T> load_units(const T* from) {
  return load(from);
}
#if defined(__AVX512BF16__)
inline VectorOf<float> multiply_add(VectorOf<float> sum, Pair left, __m512i right) {
  const __m512i broadcast = _mm512_set1_epi32(static_cast<int>(left.bits));
  return reinterpret_cast<VectorOf<float>>(_mm512_dpbf16_ps(reinterpret_cast<__m512>(sum),
                                                            reinterpret_cast<__m512bh>(broadcast),
                                                            reinterpret_cast<__m512bh>(right)));
}
inline __m512i load_units(const Pair* from) { return _mm512_loadu_si512(from); }
#endif

// How a product updates its destination: it replaces it, or is added to it, after every row of the
// destination was multiplied by its factor of `rescale`, if there are any.
template <class T>
struct Update {
  bool add = false;
  const T* rescale = nullptr;
};

template <int kRows, int kVectors, class T, class Unit>
inline void multiply_registers(int64_t depth, Operand<Unit> a, const Unit* b, int64_t b_row, T* c,
                               int64_t c_row, Update<T> update) {
  VectorOf<T> sum[kRows][kVectors];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) {
      sum[i][j] = update.add ? load(c + i * c_row + j * kLanes<T>) : VectorOf<T>{};
    }
  }
  if (update.rescale != nullptr) {
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; ++j) {
        sum[i][j] *= update.rescale[i];
      }
    }
  }
  const Unit* left = a.data;
  for (int64_t k = 0; k < depth; ++k) {
    decltype(load_units(b)) right[kVectors];
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) {
      right[j] = load_units(b + j * kLanes<T>);
    }
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; ++j) {
        sum[i][j] = multiply_add(sum[i][j], left[i * a.row], right[j]);
      }
    }
    left += a.column;
    b += b_row;
  }
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) {
      store(sum[i][j], c + i * c_row + j * kLanes<T>);
    }
  }
}

// Four rows by four vectors are 16 accumulators of 32 registers, four by two are 8 of 16; a narrow
// product takes eight rows at once, so that enough sums are under way.
template <class T>
inline int64_t group_rows(int64_t columns) {
  return columns <= kTileVectors / 2 * kLanes<T> ? 8 : 4;
}

// c (rows, columns) = a (rows, depth) b (depth, columns) for `rows` = group_rows and a multiple of
// kBlock columns.
template <int kRows, class T, class Unit>
inline void multiply_rows(int64_t columns, int64_t depth, Operand<Unit> a, const Unit* b,
                          int64_t b_row, T* c, int64_t c_row, Update<T> update) {
  while (columns > 0) {
    const int64_t vectors = smaller(columns / kLanes<T>, kTileVectors);
    if (vectors == 1) {
      multiply_registers<kRows, 1>(depth, a, b, b_row, c, c_row, update);
    } else if (kRows == 4 || kTileVectors == 4) {
      if (vectors == 2) {
        multiply_registers<kRows, 2>(depth, a, b, b_row, c, c_row, update);
      } else if constexpr (kRows == 4 && kTileVectors == 4) {
        if (vectors == 3) {
          multiply_registers<kRows, 3>(depth, a, b, b_row, c, c_row, update);
        } else {
          multiply_registers<kRows, 4>(depth, a, b, b_row, c, c_row, update);
        }
      }
    }
    columns -= vectors * kLanes<T>;
    b += vectors * kLanes<T>;
    c += vectors * kLanes<T>;
  }
}
template <class T, class Unit>
inline void multiply_group(int64_t rows, int64_t columns, int64_t depth, Operand<Unit> a,
                           const Unit* b, int64_t b_row, T* c, int64_t c_row, Update<T> update) {
  if (rows == 8) {
    multiply_rows<8>(columns, depth, a, b, b_row, c, c_row, update);
  } else {
    multiply_rows<4>(columns, depth, a, b, b_row, c, c_row, update);
  }
}

// Row t of one head: a pointer that steps by `stride`.
template <class T>
struct Rows {
  T* data = nullptr;
  int64_t stride = 0;
  T* operator[](int64_t t) const { return data + t * stride; }
  explicit operator bool() const { return data != nullptr; }
};

// Rows of one head as operands, zero beyond their width and their count.
template <class Unit>
struct Packed {
  Unit* along_width = nullptr;  // (rows, width in units): units are neighbours in a row
  Unit* along_rows = nullptr;   // (rows in units, padded width): units are neighbours in a column
};

template <class T, class S>
inline void pack_rows(Rows<const S> x, int64_t count, int64_t padded_count, int64_t width,
                      int64_t padded_width, T* out) {
  for (int64_t r = 0; r < padded_count; ++r) {
    const int64_t present = r < count ? width : 0;
    const S* row = r < count ? x[r] : x.data;
    for (int64_t i = 0; i < padded_width; i += kLanes<T>) {
      store(i < present ? load_first<T>(row + i, present - i) : VectorOf<T>{},
            out + r * padded_width + i);
    }
  }
}
// Rows [first, first + count of x), of which `padded_count` are written at the same place.
template <class T, class S>
inline void pack(Rows<const S> x, int64_t count, int64_t padded_count, int64_t width,
                 int64_t padded_width, Packed<T> out) {
  pack_rows(x, count, padded_count, width, padded_width, out.along_width);
}

#if defined(__AVX512BF16__)
inline __m256i load_pairs_first(const ebt::Bfloat16* from, int64_t count) {
  const auto mask = static_cast<__mmask16>(count >= 16 ? 0xFFFF : (1 << clamp(count, 16)) - 1);
  return _mm256_maskz_loadu_epi16(mask, from);
}
inline void pack(Rows<const ebt::Bfloat16> x, int64_t count, int64_t padded_count, int64_t width,
                 int64_t padded_width, Packed<Pair> out) {
  for (int64_t r = 0; r < padded_count; r += 2) {
    const ebt::Bfloat16* rows[2] = {x[r < count ? r : 0], x[r + 1 < count ? r + 1 : 0]};
    const int64_t present[2] = {r < count ? width : 0, r + 1 < count ? width : 0};
    for (int64_t i = 0; i < padded_width; i += 16) {
      const __m256i low = load_pairs_first(rows[0] + i, present[0] - i);
      const __m256i high = load_pairs_first(rows[1] + i, present[1] - i);
      if (out.along_width != nullptr) {
        _mm256_storeu_si256(
            reinterpret_cast<__m256i*>(out.along_width + (r * padded_width + i) / 2), low);
        _mm256_storeu_si256(
            reinterpret_cast<__m256i*>(out.along_width + ((r + 1) * padded_width + i) / 2), high);
      }
      if (out.along_rows != nullptr) {
        const __m512i pairs = _mm512_or_si512(_mm512_cvtepu16_epi32(low),
                                              _mm512_slli_epi32(_mm512_cvtepu16_epi32(high), 16));
        _mm512_storeu_si512(out.along_rows + r / 2 * padded_width + i, pairs);
      }
    }
  }
}
#endif

#if defined(__AVX512F__)
// out (16, columns of `out_row`) = the transpose of x (16, 16) of 32-bit units.
inline void transpose_block(const void* x, int64_t x_row, void* out, int64_t out_row) {
  __m512i a[16];
  __m512i b[16];
  const auto* from = static_cast<const int32_t*>(x);
  auto* to = static_cast<int32_t*>(out);
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) {
    a[i] = _mm512_loadu_si512(from + i * x_row);
  }
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    b[i] = _mm512_unpacklo_epi32(a[i], a[i + 1]);
    b[i + 1] = _mm512_unpackhi_epi32(a[i], a[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    a[i] = _mm512_unpacklo_epi64(b[i], b[i + 2]);
    a[i + 1] = _mm512_unpackhi_epi64(b[i], b[i + 2]);
    a[i + 2] = _mm512_unpacklo_epi64(b[i + 1], b[i + 3]);
    a[i + 3] = _mm512_unpackhi_epi64(b[i + 1], b[i + 3]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    b[i] = _mm512_shuffle_i32x4(a[i], a[i + 4], 0x88);
    b[i + 4] = _mm512_shuffle_i32x4(a[i], a[i + 4], 0xDD);
    b[i + 8] = _mm512_shuffle_i32x4(a[i + 8], a[i + 12], 0x88);
    b[i + 12] = _mm512_shuffle_i32x4(a[i + 8], a[i + 12], 0xDD);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    _mm512_storeu_si512(to + i * out_row, _mm512_shuffle_i32x4(b[i], b[i + 8], 0x88));
    _mm512_storeu_si512(to + (i + 8) * out_row, _mm512_shuffle_i32x4(b[i], b[i + 8], 0xDD));
    _mm512_storeu_si512(to + (i + 4) * out_row, _mm512_shuffle_i32x4(b[i + 4], b[i + 12], 0x88));
    _mm512_storeu_si512(to + (i + 12) * out_row, _mm512_shuffle_i32x4(b[i + 4], b[i + 12], 0xDD));
  }
}
#endif

// out (width, kQueries) = the transpose of x (queries, width), in units; `queries` is a multiple of
// kBlock and the rows of x are padded to whole blocks or, of pairs, to half ones.
template <class Unit>
inline void transpose(const Unit* x, int64_t queries, int64_t width, Unit* out) {
  for (int64_t q = 0; q < queries; q += kBlock) {
    int64_t i = 0;
#if defined(__AVX512F__)
    if constexpr (sizeof(Unit) == sizeof(float)) {
      for (; i + kBlock <= width; i += kBlock) {
        transpose_block(x + q * width + i, width, out + i * kQueries + q, kQueries);
      }
    }
#endif
    for (; i < width; ++i) {
      for (int64_t r = q; r < q + kBlock; ++r) {
        out[i * kQueries + r] = x[r * width + i];
      }
    }
  }
}

// A tile of P, or of a derivative of P or S, as the left operand of the products that sum over keys
// (O = P V, dQ = dS K) and over queries (dK = dS^T Q, dV = P^T dO). In numbers both are the tile
// itself.
template <class T, class S>
struct ScoreOperand {
  using Unit = typename Packing<T, S>::Unit;
  Unit* by_keys = nullptr;     // (keys in units, kQueries)
  Unit* by_queries = nullptr;  // (keys, kQueries in units); may be absent

  // Rows j (even) and j + 1, queries r..
  void put(int64_t j, int64_t r, VectorOf<T> first, VectorOf<T> second) const {
#if defined(__AVX512BF16__)
    if constexpr (Packing<T, S>::kDepth == 2) {
      const __m512i both = reinterpret_cast<__m512i>(
          _mm512_cvtne2ps_pbh(reinterpret_cast<__m512>(second), reinterpret_cast<__m512>(first)));
      if (by_keys != nullptr) {
        const __m512i order =
            _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7,
                             22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
        _mm512_storeu_si512(by_keys + j / 2 * kQueries + r, _mm512_permutexvar_epi16(order, both));
      }
      if (by_queries != nullptr) {
        Unit* row = by_queries + (j * kQueries + r) / 2;
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(row), _mm512_castsi512_si256(both));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(row + kQueries / 2),
                            _mm512_extracti64x4_epi64(both, 1));
      }
      return;
    } else
#endif
    {
      store(first, by_keys + j * kQueries + r);
      store(second, by_keys + (j + 1) * kQueries + r);
    }
  }
};

}  // namespace
