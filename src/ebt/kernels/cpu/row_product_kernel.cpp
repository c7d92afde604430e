// Products of a few rows with one matrix (row_product.h) for one instruction set.
#include "ebt/kernels/cpu/thread_buffer.h"
#include "ebt/kernels/cpu/words.h"
#include "ebt/kernels/isa.h"
#include "ebt/kernels/row_product.h"

namespace ebt::kernels {
namespace {

// Products of less work than this are not worth waking another thread for.
constexpr int64_t kSerialProducts = 1 << 14;
// Rows that a thread multiplies by a strip while it is in its cache.
constexpr int64_t kRowBlock = 48;

// `kRows` rows by one strip, both of words X that are `steps` deep.
template <int kRows, class T, class X>
inline void multiply_strip(int64_t steps, const X* x, const X* strip, int64_t columns, bool add,
                           T* y, int64_t y_row) {
  for (int64_t first = 0; first < columns; first += kTileVectors * kLanes<T>) {
    VectorOf<T> sum[kRows][kTileVectors] = {};
    for (int64_t k = 0; k < steps; ++k) {
      decltype(load_words(strip)) right[kTileVectors];
#pragma GCC unroll 4
      for (int j = 0; j < kTileVectors; ++j) {
        right[j] = load_words(strip + k * kStripColumns + first + j * kLanes<T>);
      }
#pragma GCC unroll 8
      for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
        for (int j = 0; j < kTileVectors; ++j) {
          sum[i][j] = multiply_add(x[i * steps + k], right[j], sum[i][j]);
        }
      }
    }
    for (int i = 0; i < kRows; ++i) {
      for (int j = 0; j < kTileVectors && first + j * kLanes<T> < columns; ++j) {
        T* to = y + i * y_row + first + j * kLanes<T>;
        const int64_t count = columns - first - j * kLanes<T>;
        const VectorOf<T> before = add ? load_first<T>(to, count) : VectorOf<T>{};
        store_first<T>(before + sum[i][j], to, count);
      }
    }
  }
}

template <class T, class S>
void multiply(int64_t rows, int64_t depth, int64_t columns, const T* x, const S* strips, bool add,
              T* y) {
  using X = Word<S>;
  const int64_t steps = words<S>(depth);
  X* const memory = sizeof(S) == sizeof(T) ? nullptr : thread_buffer<X>(rows * steps);
  const X* const left = rows > 0 ? words_of(depth, x, memory) : nullptr;
  for (int64_t i = 1; i < rows && memory != nullptr; ++i) {
    words_of(depth, x + i * depth, memory + i * steps);
  }
  const auto* const right = reinterpret_cast<const X*>(strips);
  const int64_t strip_count = (columns + kStripColumns - 1) / kStripColumns;
  const int64_t blocks = (rows + kRowBlock - 1) / kRowBlock;
#pragma omp parallel for collapse(2) schedule(static) if (rows * depth * columns > kSerialProducts)
  for (int64_t block = 0; block < blocks; ++block) {
    for (int64_t s = 0; s < strip_count; ++s) {
      const X* strip = right + s * steps * kStripColumns;
      const int64_t first = s * kStripColumns;
      const int64_t width = columns - first < kStripColumns ? columns - first : kStripColumns;
      const int64_t end = rows - block * kRowBlock < kRowBlock ? rows : (block + 1) * kRowBlock;
      int64_t i = block * kRowBlock;
      for (; end - i >= kTileRows; i += kTileRows) {
        multiply_strip<kTileRows>(steps, left + i * steps, strip, width, add,
                                  y + i * columns + first, columns);
      }
      for (; end - i >= 2; i += 2) {
        multiply_strip<2>(steps, left + i * steps, strip, width, add, y + i * columns + first,
                          columns);
      }
      if (i < end) {
        multiply_strip<1>(steps, left + i * steps, strip, width, add, y + i * columns + first,
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
