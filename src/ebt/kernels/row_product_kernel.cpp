#include "ebt/kernels/attention_vectors.h"
#include "ebt/kernels/isa.h"
#include "ebt/kernels/row_product.h"

namespace ebt::kernels {
namespace {

// Products of less work than this are not worth waking another thread for.
constexpr int64_t kSerialProducts = 1 << 14;
// Rows that a thread multiplies by a strip while it is in its cache.
constexpr int64_t kRowBlock = 48;

// `kRows` rows by `kTileVectors` vectors of a strip, from column `first` of it on.
template <int kRows, class T, class S>
inline void multiply_tile(int64_t depth, const T* x, const S* strip, int64_t columns, bool add,
                          T* y, int64_t y_row) {
  VectorOf<T> sum[kRows][kTileVectors] = {};
  for (int64_t k = 0; k < depth; ++k) {
    VectorOf<T> right[kTileVectors];
#pragma GCC unroll 4
    for (int j = 0; j < kTileVectors; ++j) {
      right[j] = load(strip + k * kStripColumns + j * kLanes<T>);
    }
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      const T left = x[i * depth + k];
#pragma GCC unroll 4
      for (int j = 0; j < kTileVectors; ++j) {
        sum[i][j] += right[j] * left;
      }
    }
  }
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kTileVectors && j * kLanes<T> < columns; ++j) {
      T* to = y + i * y_row + j * kLanes<T>;
      const int64_t count = columns - j * kLanes<T>;
      const VectorOf<T> before = add ? load_first<T>(to, count) : VectorOf<T>{};
      store_first<T>(before + sum[i][j], to, count);
    }
  }
}

template <int kRows, class T, class S>
inline void multiply_strip(int64_t depth, const T* x, const S* strip, int64_t columns, bool add,
                           T* y, int64_t y_row) {
  for (int64_t first = 0; first < columns; first += kTileVectors * kLanes<T>) {
    multiply_tile<kRows>(depth, x, strip + first, columns - first, add, y + first, y_row);
  }
}

template <class T, class S>
void multiply(int64_t rows, int64_t depth, int64_t columns, const T* x, const S* strips, bool add,
              T* y) {
  const int64_t strip_count = (columns + kStripColumns - 1) / kStripColumns;
  const int64_t blocks = (rows + kRowBlock - 1) / kRowBlock;
#pragma omp parallel for collapse(2) schedule(static) if (rows * depth * columns > kSerialProducts)
  for (int64_t block = 0; block < blocks; ++block) {
    for (int64_t s = 0; s < strip_count; ++s) {
      const S* strip = strips + s * depth * kStripColumns;
      const int64_t first = s * kStripColumns;
      const int64_t width = columns - first < kStripColumns ? columns - first : kStripColumns;
      const int64_t end = rows - block * kRowBlock < kRowBlock ? rows : (block + 1) * kRowBlock;
      int64_t i = block * kRowBlock;
      for (; i + kTileRows <= end; i += kTileRows) {
        multiply_strip<kTileRows>(depth, x + i * depth, strip, width, add, y + i * columns + first,
                                  columns);
      }
      for (; i + 2 <= end; i += 2) {
        multiply_strip<2>(depth, x + i * depth, strip, width, add, y + i * columns + first,
                          columns);
      }
      if (i < end) {
        multiply_strip<1>(depth, x + i * depth, strip, width, add, y + i * columns + first,
                          columns);
      }
    }
  }
}

}  // namespace

#define EBT_TABLE(T, S)                                                                 \
  template <>                                                                           \
  const RowProductKernels<T, S>& kernels_for<RowProductKernels<T, S>, Isa::EBT_ISA>() { \
    static constexpr RowProductKernels<T, S> table{&multiply<T, S>};                    \
    return table;                                                                       \
  }
EBT_TABLE(float, float)
EBT_TABLE(float, Bfloat16)
EBT_TABLE(double, double)
#undef EBT_TABLE

}  // namespace ebt::kernels
