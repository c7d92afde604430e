// Products of gemm.h in float32 by oneDNN, and in float64 by our own tiles (gemm_kernel.cpp).
#include "ebt/kernels/gemm.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "ebt/core/error.h"
#include "ebt/kernels/cpu/gemm_blocks.h"
#include "ebt/kernels/isa.h"

namespace ebt::kernels {
namespace {

std::function<void(const GemmShape&)>& observer() {
  static std::function<void(const GemmShape&)> function;
  return function;
}

// multiply_block of fewer than kLeastRows rows, of a that is not transposed.
void multiply_few_rows(bool /*transpose_a*/, bool transpose_b, int64_t m, int64_t n, int64_t k,
                       const float* a, int64_t a_row, const float* b, int64_t b_row, float* c,
                       int64_t c_row, bool add) {
  static thread_local std::vector<float> rows, sums;
  rows.assign(static_cast<size_t>(kLeastRows * k), 0.0F);
  sums.assign(static_cast<size_t>(kLeastRows * n), 0.0F);
  for (int64_t i = 0; i < m; ++i) {
    std::copy_n(a + i * a_row, k, rows.data() + i * k);
    if (add) {
      std::copy_n(c + i * c_row, n, sums.data() + i * n);
    }
  }
  multiply_block(false, transpose_b, kLeastRows, n, k, rows.data(), k, b, b_row, sums.data(), n,
                 add);
  for (int64_t i = 0; i < m; ++i) {
    std::copy_n(sums.data() + i * n, n, c + i * c_row);
  }
}

// `bias` (n) is added to every row of c, if it is there.
template <class T>
void gemm(bool ta, bool tb, Matrix<const T> a, Matrix<const T> b, Matrix<T> c, Write write,
          Tensor<const T> bias = {}) {
  const int64_t m = ta ? a.columns : a.rows;
  const int64_t k = ta ? a.rows : a.columns;
  const int64_t n = tb ? b.rows : b.columns;
  const int64_t b_depth = tb ? b.columns : b.rows;
  EBT_CHECK(b_depth == k && c.rows == m && c.columns == n,
            "gemm: ({},{}) times ({},{}) does not give ({},{})", m, k, b_depth, n, c.rows,
            c.columns);
  EBT_CHECK(!bias || bias.count() == n, "gemm: a bias of {} entries for {} columns", bias.count(),
            n);
  if (m == 0 || n == 0) {
    return;
  }
  const bool add = write == Write::kAdd;
  // What a block of rows is added to.
  const auto start = [&](int64_t first, int64_t rows) {
    for (int64_t i = first; i < first + rows; ++i) {
      T* row = c.data + i * c.row;
      for (int64_t j = 0; j < n; ++j) {
        row[j] = (add ? row[j] : T(0)) + (bias ? bias[j] : T(0));
      }
    }
  };
  if (k == 0) {
    start(0, m);
    return;
  }
  observe_gemm({ta, tb, m, n, k});
  for_row_blocks(m, ta ? kBlockRowsTransposed : kBlockRows, [&](int64_t first, int64_t rows) {
    if (bias) {
      start(first, rows);
    }
    const T* left = a.data + first * (ta ? 1 : a.row);
    T* to = c.data + first * c.row;
    if constexpr (std::is_same_v<T, float>) {
      const auto multiply = ta || rows >= kLeastRows ? multiply_block : multiply_few_rows;
      multiply(ta, tb, rows, n, k, left, a.row, b.data, b.row, to, c.row, add || bias);
    } else {
      table<GemmKernels<T>>().block(ta, tb, rows, n, k, left, a.row, b.data, b.row, to, c.row,
                                    add || bias);
    }
  });
}

}  // namespace

void observe_gemm(const GemmShape& shape) {
  if (observer()) {
    observer()(shape);
  }
}

template <class T>
void multiply_nt(Matrix<const T> a, Matrix<const T> b, Matrix<T> c, Write write) {
  gemm(false, true, a, b, c, write);
}
template <class T>
void multiply_nn(Matrix<const T> a, Matrix<const T> b, Matrix<T> c, Write write) {
  gemm(false, false, a, b, c, write);
}
template <class T, class S>
void multiply_tn(Matrix<const S> a, Matrix<const S> b, Matrix<T> c, Write write) {
  gemm(true, false, a, b, c, write);
}
template <class T, class S, class C>
void multiply_nt(Matrix<const S> x, const WeightMatrix<T, S>& weights, Matrix<C> c, Write write,
                 Tensor<const T> bias) {
  gemm<T>(false, true, x, weights.values, c, write, bias);
}
template <class T, class S, class C>
void multiply_nn(Matrix<const S> y, const WeightMatrix<T, S>& weights, Matrix<C> c, Write write) {
  gemm<T>(false, false, y, weights.values, c, write);
}

void set_gemm_observer(std::function<void(const GemmShape&)> function) {
  observer() = std::move(function);
}

#define EBT_INSTANTIATE(T)                                                                      \
  template void multiply_nt<T>(Matrix<const T>, Matrix<const T>, Matrix<T>, Write);             \
  template void multiply_nn<T>(Matrix<const T>, Matrix<const T>, Matrix<T>, Write);             \
  template void multiply_tn<T, T>(Matrix<const T>, Matrix<const T>, Matrix<T>, Write);          \
  template void multiply_nt<T, T, T>(Matrix<const T>, const WeightMatrix<T>&, Matrix<T>, Write, \
                                     Tensor<const T>);                                          \
  template void multiply_nn<T, T, T>(Matrix<const T>, const WeightMatrix<T>&, Matrix<T>, Write);
EBT_INSTANTIATE(float)
EBT_INSTANTIATE(double)
#undef EBT_INSTANTIATE

}  // namespace ebt::kernels
