#include "ebt/layers/linear.h"

#include "ebt/core/work_watch.h"
#include "ebt/kernels/columns.h"
#include "ebt/kernels/elementwise.h"

namespace ebt {

using kernels::Matrix;

template <class T, class S>
template <class Y>
void Linear<T, S>::forward(const Params& params, Tensor<const S> x, Tensor<Y> y, Saved& saved,
                           Write write) {
  check_stop();
  saved.x = x;
  kernels::multiply_nt<T, S, Y>(x, params.weight, y, write, params.bias);
}

template <class T, class S>
void Linear<T, S>::vjp(const Params& params, const Saved& saved, Tensor<const S> y_bar,
                       Tensor<S> x_bar, Write write, Grads* grads) {
  check_stop();
  if (x_bar) {
    kernels::multiply_nn<T, S, S>(y_bar, params.weight, x_bar, write);
  }
  if (grads != nullptr) {
    kernels::multiply_tn<T, S>(y_bar, saved.x, grads->weight, Write::kAdd);
    if (grads->bias) {
      const Matrix<const S> rows(y_bar);
      kernels::columns<T, S>().sum(rows.rows, rows.columns, y_bar.data, nullptr, grads->bias.data);
    }
  }
}

template <class T, class S>
template <class Y>
void Linear<T, S>::jvp(const Params& params, const Saved& /*saved*/, Tensor<const S> x_dot,
                       Tensor<Y> y_dot, Write write) {
  check_stop();
  kernels::multiply_nt<T, S, Y>(x_dot, params.weight, y_dot, write);
}

template <class T, class S>
void Linear<T, S>::vjp_of_jvp(const Params& /*params*/, const Saved& /*saved*/,
                              Tensor<const S> x_dot, Tensor<const S> delta, Tensor<S> x_bar,
                              Write write, Grads* grads) {
  check_stop();
  if (x_bar) {
    check_shape("linear", "x_bar", x_bar.shape, x_dot.shape);
    if (write == Write::kReplace) {
      kernels::elementwise<S>().fill(x_bar.count(), static_cast<S>(T(0)), x_bar.data);
    }
  }
  if (grads != nullptr) {
    kernels::multiply_tn<T, S>(delta, x_dot, grads->weight, Write::kAdd);
  }
}

template struct Linear<float>;
template struct Linear<double>;
template struct Linear<float, Bfloat16>;
#define EBT_INSTANTIATE(T, S, Y)                                                                 \
  template void Linear<T, S>::forward(const Params&, Tensor<const S>, Tensor<Y>, Saved&, Write); \
  template void Linear<T, S>::jvp(const Params&, const Saved&, Tensor<const S>, Tensor<Y>, Write);
EBT_INSTANTIATE(float, float, float)
EBT_INSTANTIATE(double, double, double)
EBT_INSTANTIATE(float, Bfloat16, float)
EBT_INSTANTIATE(float, Bfloat16, Bfloat16)
#undef EBT_INSTANTIATE

}  // namespace ebt
