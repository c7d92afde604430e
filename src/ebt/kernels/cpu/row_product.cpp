// The packing of matrices for row_product.h, and the dispatch of its products.
#include "ebt/kernels/row_product.h"

#include <algorithm>

#include "ebt/core/bfloat16.h"
#include "ebt/kernels/isa.h"

namespace ebt::kernels {

template <class S>
template <class T>
ColumnStrips<S> ColumnStrips<S>::of(Tensor<const T> m, bool transposed) {
  ColumnStrips strips;
  strips.depth_ = m.dim(transposed ? 1 : 0);
  strips.columns_ = m.dim(transposed ? 0 : 1);
  const int64_t count = (strips.columns_ + kStripColumns - 1) / kStripColumns;
  constexpr int64_t kDepth = kPack<S>;
  const int64_t packs = (strips.depth_ + kDepth - 1) / kDepth;
  const int64_t strip_size = packs * kDepth * kStripColumns;
  strips.values_.assign(static_cast<size_t>(count * strip_size), static_cast<S>(T(0)));
  const int64_t by_depth = transposed ? 1 : strips.columns_;
  const int64_t by_column = transposed ? strips.depth_ : 1;
#pragma omp parallel for schedule(static)
  for (int64_t strip = 0; strip < count; ++strip) {
    const int64_t first = strip * kStripColumns;
    const int64_t width = std::min(kStripColumns, strips.columns_ - first);
    S* out = strips.values_.data() + strip * strip_size;
    for (int64_t k = 0; k < strips.depth_; ++k) {
      S* row = out + k / kDepth * kDepth * kStripColumns + k % kDepth;
      for (int64_t j = 0; j < width; ++j) {
        row[j * kDepth] = static_cast<S>(m.data[k * by_depth + (first + j) * by_column]);
      }
    }
  }
  return strips;
}

template <class T, class S>
void multiply_rows(Tensor<const T> x, const ColumnStrips<S>& right, bool add, Tensor<T> y) {
  EBT_CHECK(x.shape.rank() == 2 && y.shape.rank() == 2 && x.dim(0) == y.dim(0) &&
                x.dim(1) == right.depth() && y.dim(1) == right.columns(),
            "row product: x is {} and y {}, but the matrix is ({},{})", x.shape.to_string(),
            y.shape.to_string(), right.depth(), right.columns());
  row_product<T, S>().multiply(x.dim(0), x.dim(1), y.dim(1), x.data, right.data(), add, y.data);
}

#define EBT_INSTANTIATE(T, S)                                          \
  template class ColumnStrips<S>;                                      \
  template ColumnStrips<S> ColumnStrips<S>::of(Tensor<const T>, bool); \
  template void multiply_rows(Tensor<const T>, const ColumnStrips<S>&, bool, Tensor<T>);
EBT_INSTANTIATE(float, float)
EBT_INSTANTIATE(float, Bfloat16)
EBT_INSTANTIATE(double, double)
#undef EBT_INSTANTIATE

}  // namespace ebt::kernels
