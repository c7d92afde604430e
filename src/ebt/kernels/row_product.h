// Products of a few rows with one matrix, as generation needs them: a token of each of some texts,
// times all weights of a model. What they cost is reading the matrix, so it is stored once, as
// small as it may be, in the order of reading.
//
// Where the matrix is stored in bf16, the rows are rounded to bf16 too, and sums are float32.
//
// Every element of a result is one sum in the order of the depth, whatever rows are beside it: a
// text's numbers do not depend on how many others share the pass, nor on threads.
#pragma once

#include <cstdint>
#include <vector>

#include "ebt/core/tensor.h"
#include "ebt/kernels/isa.h"
#include "ebt/kernels/pack.h"

namespace ebt::kernels {

// Columns that are stored, and multiplied, together.
inline constexpr int64_t kStripColumns = 64;

// The right factor (depth, columns) as strips (columns / kStripColumns, depth / kPack,
// kStripColumns, kPack), filled up with zeros.
template <class S>
class ColumnStrips {
 public:
  ColumnStrips() = default;
  // The matrix m (depth, columns), or the transpose of m (columns, depth).
  template <class T>
  static ColumnStrips of(Tensor<const T> m, bool transposed);

  int64_t depth() const { return depth_; }
  int64_t columns() const { return columns_; }
  const S* data() const { return values_.data(); }
  // Bytes that a product reads of it.
  int64_t bytes() const { return static_cast<int64_t>(values_.size() * sizeof(S)); }

 private:
  int64_t depth_ = 0;
  int64_t columns_ = 0;
  std::vector<S> values_;
};

// Weights (out, in) as the right factor of products. A view, like WeightMatrix.
template <class S>
struct StripMatrix {
  const ColumnStrips<S>* transposed = nullptr;  // (in, out), for x W^T
  const ColumnStrips<S>* straight = nullptr;    // (out, in), for y W
};

// T computes, the right factor is stored as S.
template <class T, class S>
struct RowProductKernels {
  // y (rows, columns) = x (rows, depth) strips, or added to y.
  void (*multiply)(int64_t rows, int64_t depth, int64_t columns, const T* x, const S* strips,
                   bool add, T* y);
};

template <class T, class S>
const RowProductKernels<T, S>& row_product() {
  return table<RowProductKernels<T, S>>();
}

// y (rows, columns) = x (rows, depth) right, or added to y. Throws Error where shapes differ.
template <class T, class S>
void multiply_rows(Tensor<const T> x, const ColumnStrips<S>& right, bool add, Tensor<T> y);

}  // namespace ebt::kernels
