// A register-blocked product of small matrices, for kernel files only (internal linkage).
#pragma once

#include <cstdint>

namespace {

#if defined(__AVX512F__)
inline constexpr int kVectorBytes = 64;
inline constexpr int kTileVectors = 4;
#elif defined(__AVX__)
inline constexpr int kVectorBytes = 32;
inline constexpr int kTileVectors = 2;
#else
inline constexpr int kVectorBytes = 16;
inline constexpr int kTileVectors = 2;
#endif
// Six rows by four vectors are 24 accumulators of 32 registers; six by two are 12 of 16.
inline constexpr int kTileRows = 6;

template <class T>
struct Vector;
template <>
struct Vector<float> {
  using type = float __attribute__((vector_size(kVectorBytes), aligned(4), may_alias));
};
template <>
struct Vector<double> {
  using type = double __attribute__((vector_size(kVectorBytes), aligned(8), may_alias));
};
template <class T>
inline constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(T));

// The left factor: element (i, k) is data[i * row + k * column], so a transpose is free.
template <class T>
struct LeftFactor {
  const T* data;
  int64_t row;
  int64_t column;
  LeftFactor from(int64_t i) const { return {data + i * row, row, column}; }
};

template <int kRows, int kVectors, class T>
inline void multiply_registers(int64_t depth, LeftFactor<T> a, const T* b, int64_t b_row, T* c,
                               int64_t c_row, bool add) {
  using V = typename Vector<T>::type;
  V sum[kRows][kVectors];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) {
      sum[i][j] = add ? *reinterpret_cast<const V*>(c + i * c_row + j * kLanes<T>) : V{};
    }
  }
  for (int64_t k = 0; k < depth; ++k) {
    V right[kVectors];
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) {
      right[j] = *reinterpret_cast<const V*>(b + k * b_row + j * kLanes<T>);
    }
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      const T left = a.data[i * a.row + k * a.column];
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; ++j) {
        sum[i][j] += right[j] * left;
      }
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) {
      *reinterpret_cast<V*>(c + i * c_row + j * kLanes<T>) = sum[i][j];
    }
  }
}

template <int kRows, class T>
inline void multiply_rows(int64_t columns, int64_t depth, LeftFactor<T> a, const T* b,
                          int64_t b_row, T* c, int64_t c_row, bool add) {
  int64_t j = 0;
  for (; j + kTileVectors * kLanes<T> <= columns; j += kTileVectors * kLanes<T>) {
    multiply_registers<kRows, kTileVectors>(depth, a, b + j, b_row, c + j, c_row, add);
  }
  for (; j + kLanes<T> <= columns; j += kLanes<T>) {
    multiply_registers<kRows, 1>(depth, a, b + j, b_row, c + j, c_row, add);
  }
  for (; j < columns; ++j) {
    for (int i = 0; i < kRows; ++i) {
      T sum = add ? c[i * c_row + j] : T(0);
      for (int64_t k = 0; k < depth; ++k) {
        sum += a.data[i * a.row + k * a.column] * b[k * b_row + j];
      }
      c[i * c_row + j] = sum;
    }
  }
}

// c (rows, columns) = a (rows, depth) b (depth, columns), or += with `add`. Rows of b and c are
// contiguous, `b_row` and `c_row` apart. Every element is summed in order of k.
template <class T>
inline void multiply(int64_t rows, int64_t columns, int64_t depth, LeftFactor<T> a, const T* b,
                     int64_t b_row, T* c, int64_t c_row, bool add) {
  int64_t i = 0;
  for (; i + kTileRows <= rows; i += kTileRows) {
    multiply_rows<kTileRows>(columns, depth, a.from(i), b, b_row, c + i * c_row, c_row, add);
  }
  for (; i + 2 <= rows; i += 2) {
    multiply_rows<2>(columns, depth, a.from(i), b, b_row, c + i * c_row, c_row, add);
  }
  if (i < rows) {
    multiply_rows<1>(columns, depth, a.from(i), b, b_row, c + i * c_row, c_row, add);
  }
}

}  // namespace
