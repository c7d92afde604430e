#include "ebt/layers/linear.h"

#include <algorithm>

#include "ebt/kernels/elementwise.h"
#include "ebt/kernels/isa.h"

namespace ebt {

using kernels::Matrix;

template <class T>
void Linear<T>::forward(const Params& params, Tensor<const T> x, Tensor<T> y, Saved& saved,
                        Write write) {
  saved.x = x;
  kernels::multiply_nt<T>(x, params.weight, y, write);
  if (params.bias) {
    const Matrix<T> rows(y);
    for (int64_t row = 0; row < rows.rows; ++row) {
      for (int64_t i = 0; i < rows.columns; ++i) {
        rows.data[row * rows.columns + i] += params.bias[i];
      }
    }
  }
}

template <class T>
void Linear<T>::vjp(const Params& params, const Saved& saved, Tensor<const T> y_bar,
                    Tensor<T> x_bar, Write write, Grads* grads) {
  kernels::multiply_nn<T>(y_bar, params.weight, x_bar, write);
  if (grads != nullptr) {
    kernels::multiply_tn<T>(y_bar, saved.x, grads->weight, Write::kAdd);
    if (grads->bias) {
      const Matrix<const T> rows(y_bar);
      kernels::kernels<kernels::ElementwiseKernels<T>>().sum_rows(
          rows.rows, rows.columns, y_bar.data, nullptr, grads->bias.data);
    }
  }
}

template <class T>
void Linear<T>::jvp(const Params& params, const Saved& /*saved*/, Tensor<const T> x_dot,
                    Tensor<T> y_dot, Write write) {
  kernels::multiply_nt<T>(x_dot, params.weight, y_dot, write);
}

template <class T>
void Linear<T>::vjp_of_jvp(const Params& /*params*/, const Saved& /*saved*/, Tensor<const T> x_dot,
                           Tensor<const T> delta, Tensor<T> x_bar, Write write, Grads* grads) {
  check_shape("linear", "x_bar", x_bar.shape, x_dot.shape);
  if (write == Write::kReplace) {
    std::fill(x_bar.begin(), x_bar.end(), T(0));
  }
  if (grads != nullptr) {
    kernels::multiply_tn<T>(delta, x_dot, grads->weight, Write::kAdd);
  }
}

template struct Linear<float>;
template struct Linear<double>;

}  // namespace ebt
