#include "ebt/layers/gelu.h"

#include "ebt/kernels/gelu.h"

namespace ebt {
template <class T, class S>
void Gelu<T, S>::forward(const Params& /*params*/, Tensor<const S> x, Tensor<S> y, Saved& saved) {
  check_shape("gelu", "y", y.shape, x.shape);
  saved.x = x;
  kernels::gelu<T, S>().forward(x.count(), x.data, y.data);
}

template <class T, class S>
void Gelu<T, S>::vjp(const Params& /*params*/, const Saved& saved, Tensor<const S> y_bar,
                     Tensor<S> x_bar, Write write, Grads* /*grads*/, const Recomputed& recomputed) {
  check_shape("gelu", "y_bar", y_bar.shape, saved.x.shape);
  check_shape("gelu", "x_bar", x_bar.shape, saved.x.shape);
  kernels::gelu<T, S>().vjp(y_bar.count(), saved.x.data, y_bar.data, write == Write::kAdd,
                            x_bar.data, recomputed.y.data);
}

template <class T, class S>
void Gelu<T, S>::jvp(const Params& /*params*/, const Saved& saved, Tensor<const S> x_dot,
                     Tensor<S> y_dot) {
  check_shape("gelu", "x_dot", x_dot.shape, saved.x.shape);
  check_shape("gelu", "y_dot", y_dot.shape, saved.x.shape);
  kernels::gelu<T, S>().jvp(x_dot.count(), saved.x.data, x_dot.data, y_dot.data);
}

template <class T, class S>
void Gelu<T, S>::vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const S> x_dot,
                            Tensor<const S> delta, Tensor<S> x_bar, Write write, Grads* grads) {
  second_order(params, saved, x_dot, delta, {}, x_bar, write, grads);
}

template <class T, class S>
void Gelu<T, S>::second_order(const Params& /*params*/, const Saved& saved, Tensor<const S> x_dot,
                              Tensor<const S> delta, Tensor<const S> y_bar, Tensor<S> x_bar,
                              Write write, Grads* /*grads*/, const Recomputed& recomputed) {
  check_second_order("gelu", x_dot, delta, x_bar, saved.x.shape, saved.x.shape);
  kernels::gelu<T, S>().second_order(
      x_dot.count(), saved.x.data, x_dot.data, delta.data, y_bar.data, write == Write::kAdd,
      x_bar.data, recomputed.delta_x.data, recomputed.y.data, recomputed.y_dot.data);
}

template struct Gelu<float>;
template struct Gelu<double>;
template struct Gelu<float, Bfloat16>;

}  // namespace ebt
