#include "ebt/layers/rms_norm.h"

#include "ebt/kernels/isa.h"
#include "ebt/kernels/rms_norm.h"

namespace ebt {
namespace {

template <class T>
const kernels::RmsNormKernels<T>& table() {
  return kernels::kernels<kernels::RmsNormKernels<T>>();
}

// Rows of a tensor whose last axis must be as wide as the weight.
template <class T>
int64_t checked_rows(Tensor<const T> x, Tensor<const T> weight) {
  const int64_t width = weight.count();
  EBT_CHECK(x.shape.rank() > 0 && x.dim(x.shape.rank() - 1) == width,
            "rms_norm: x is {} but the weight has {} entries", x.shape.to_string(), width);
  return width == 0 ? 0 : x.count() / width;
}

template <class T>
T* weight_or_null(typename RmsNorm<T>::Grads* grads) {
  return grads == nullptr ? nullptr : grads->weight.data;
}

}  // namespace

template <class T>
void RmsNorm<T>::forward(const Params& params, Tensor<const T> x, Tensor<T> y, Saved& saved) {
  check_shape("rms_norm", "y", y.shape, x.shape);
  const int64_t rows = checked_rows(x, params.weight);
  saved.x = x;
  table<T>().forward(rows, params.weight.count(), x.data, params.weight.data, params.eps, y.data,
                     saved.inverse_rms.data);
}

template <class T>
void RmsNorm<T>::vjp(const Params& params, const Saved& saved, Tensor<const T> y_bar,
                     Tensor<T> x_bar, Write write, Grads* grads) {
  check_shape("rms_norm", "y_bar", y_bar.shape, saved.x.shape);
  check_shape("rms_norm", "x_bar", x_bar.shape, saved.x.shape);
  const int64_t rows = checked_rows(y_bar, params.weight);
  table<T>().vjp(rows, params.weight.count(), saved.x.data, saved.inverse_rms.data,
                 params.weight.data, y_bar.data, write == Write::kAdd, x_bar.data,
                 weight_or_null<T>(grads));
}

template <class T>
void RmsNorm<T>::jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot,
                     Tensor<T> y_dot) {
  check_shape("rms_norm", "x_dot", x_dot.shape, saved.x.shape);
  check_shape("rms_norm", "y_dot", y_dot.shape, saved.x.shape);
  const int64_t rows = checked_rows(x_dot, params.weight);
  table<T>().jvp(rows, params.weight.count(), saved.x.data, saved.inverse_rms.data,
                 params.weight.data, x_dot.data, y_dot.data);
}

template <class T>
void RmsNorm<T>::vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot,
                            Tensor<const T> delta, Tensor<T> x_bar, Write write, Grads* grads) {
  check_second_order("rms_norm", x_dot, delta, x_bar, saved.x.shape, saved.x.shape);
  const int64_t rows = checked_rows(x_dot, params.weight);
  table<T>().vjp_of_jvp(rows, params.weight.count(), saved.x.data, saved.inverse_rms.data,
                        params.weight.data, x_dot.data, delta.data, write == Write::kAdd,
                        x_bar.data, weight_or_null<T>(grads));
}

template struct RmsNorm<float>;
template struct RmsNorm<double>;

}  // namespace ebt
