// How a block multiplies by its weights W (out, in). A projection has two rules, y = x W^T + b and
// x_bar = y_bar W, and chooses what weights are stored as for them.
#pragma once

#include "ebt/kernels/row_product.h"
#include "ebt/layers/linear.h"

namespace ebt {

// Of the many rows of a stream. T computes, activations are stored as S; y may also be summed in T.
template <class T, class S>
struct GemmProjection {
  using Matrix = kernels::WeightMatrix<T, S>;

  // x (..., in), y (..., out). The bias (out) may be absent.
  template <class Y>
  static void forward(const Matrix& weights, Tensor<const T> bias, Tensor<const S> x, Tensor<Y> y,
                      Write write = Write::kReplace) {
    typename Linear<T, S>::Saved unused;
    Linear<T, S>::forward({weights, bias}, x, y, unused, write);
  }
  static void vjp(const Matrix& weights, Tensor<const S> y_bar, Tensor<S> x_bar) {
    Linear<T, S>::vjp({weights, {}}, {}, y_bar, x_bar, Write::kReplace, nullptr);
  }
};

// Of the few rows of a step of generation: what they cost is reading the weights, which are stored
// as S, in the order of reading. Activations stay in T.
template <class T, class S>
struct StripProjection {
  using Matrix = kernels::StripMatrix<S>;

  static void forward(const Matrix& weights, Tensor<const T> bias, Tensor<const T> x, Tensor<T> y,
                      Write write = Write::kReplace) {
    EBT_CHECK(!bias, "row product: a projection of single rows has no bias");
    kernels::multiply_rows<T, S>(x, *weights.transposed, write == Write::kAdd, y);
  }
  static void vjp(const Matrix& weights, Tensor<const T> y_bar, Tensor<T> x_bar) {
    kernels::multiply_rows<T, S>(y_bar, *weights.straight, false, x_bar);
  }
};

}  // namespace ebt
