// The smooth L1 loss (Huber's, with its bend at 1), a mean over the values of every image:
//
//   l(d) = d^2 / 2 where |d| < 1, else |d| - 1/2        l'(d) = d clamped to [-1, 1]
#pragma once

#include "ebt/core/tensor.h"

namespace ebt {

// Of rows x (B, N) with targets of the same shape: row_loss (B), and row_error (B) their mean
// squared differences. x_bar, if it is not absent, = scale * the derivative of the sum of row_loss;
// it may be x.
template <class T>
void smooth_l1(Tensor<const T> x, Tensor<const T> target, T scale, Tensor<T> row_loss,
               Tensor<T> row_error, Tensor<T> x_bar);

}  // namespace ebt
