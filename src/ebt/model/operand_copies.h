// Weights as right factors of products: the weights themselves or, for bf16 products, rounded and
// packed copies that are made anew when the weights have changed.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <type_traits>

#include "ebt/core/threads.h"
#include "ebt/kernels/gemm.h"

namespace ebt {

template <class T, class S>
class OperandCopies {
 public:
  OperandCopies() = default;
  OperandCopies(const OperandCopies&) = delete;
  OperandCopies& operator=(const OperandCopies&) = delete;

  // `weights` (out, in) for both sides of their products. For S = T there is no copy.
  kernels::WeightMatrix<T, S> add(Tensor<const T> weights) {
    if constexpr (std::is_same_v<T, S>) {
      return weights;
    } else {
      const Copy& copy = copies_.emplace_back(weights);
      return {weights, &copy.transposed, &copy.straight};
    }
  }
  // Copies all weights again.
  void refresh() {
    if constexpr (!std::is_same_v<T, S>) {
      run_in_parallel(2 * static_cast<int64_t>(copies_.size()), [&](int64_t i) {
        Copy& copy = copies_[static_cast<size_t>(i / 2)];
        const bool transposed = i % 2 == 0;
        (transposed ? copy.transposed : copy.straight).pack(copy.values, transposed);
      });
    }
  }
  // Bytes of the copies of matrices (out, in).
  static size_t bytes(std::span<const Shape> matrices) {
    size_t total = 0;
    for (const Shape& matrix : matrices) {
      if constexpr (!std::is_same_v<T, S>) {
        total += kernels::PackedMatrix::bytes(matrix[1], matrix[0]) +
                 kernels::PackedMatrix::bytes(matrix[0], matrix[1]);
      }
    }
    return total;
  }

 private:
  struct Copy {
    Tensor<const T> values;
    kernels::PackedMatrix transposed, straight;
    explicit Copy(Tensor<const T> v)
        : values(v), transposed(v.dim(1), v.dim(0)), straight(v.dim(0), v.dim(1)) {}
  };
  std::deque<Copy> copies_;
};

}  // namespace ebt
