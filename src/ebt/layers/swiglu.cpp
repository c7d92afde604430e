#include "ebt/layers/swiglu.h"

#include "ebt/kernels/swiglu.h"

namespace ebt {
namespace {

// Checks that x is twice as wide as y.
template <class T>
void check(Tensor<const T> x, Tensor<const T> y) {
  EBT_CHECK(x.shape.rank() > 0 && x.shape.rank() == y.shape.rank() &&
                x.dim(x.shape.rank() - 1) == 2 * y.dim(y.shape.rank() - 1) &&
                x.count() == 2 * y.count(),
            "swiglu: x is {} but y is {}", x.shape.to_string(), y.shape.to_string());
}

struct RowsOf {
  int64_t rows, width;
};
template <class T>
RowsOf rows_of(Tensor<const T> y) {
  const int64_t width = y.dim(y.shape.rank() - 1);
  return {width == 0 ? 0 : y.count() / width, width};
}

}  // namespace

template <class T, class S>
void SwigluGate<T, S>::forward(const Params& /*params*/, Tensor<const S> x, Tensor<S> y,
                               Saved& saved) {
  check<S>(x, y);
  saved.x = x;
  const RowsOf size = rows_of<S>(y);
  kernels::swiglu<T, S>().forward(size.rows, size.width, x.data, y.data);
}

template <class T, class S>
void SwigluGate<T, S>::vjp(const Params& /*params*/, const Saved& saved, Tensor<const S> y_bar,
                           Tensor<S> x_bar, Write write, Grads* /*grads*/,
                           const Recomputed& recomputed) {
  check_shape("swiglu", "x_bar", x_bar.shape, saved.x.shape);
  check<S>(x_bar, y_bar);
  const RowsOf size = rows_of(y_bar);
  kernels::swiglu<T, S>().vjp(size.rows, size.width, saved.x.data, y_bar.data, write == Write::kAdd,
                              x_bar.data, recomputed.y.data);
}

template <class T, class S>
void SwigluGate<T, S>::jvp(const Params& /*params*/, const Saved& saved, Tensor<const S> x_dot,
                           Tensor<S> y_dot) {
  check_shape("swiglu", "x_dot", x_dot.shape, saved.x.shape);
  check<S>(x_dot, y_dot);
  const RowsOf size = rows_of<S>(y_dot);
  kernels::swiglu<T, S>().jvp(size.rows, size.width, saved.x.data, x_dot.data, y_dot.data);
}

template <class T, class S>
void SwigluGate<T, S>::vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const S> x_dot,
                                  Tensor<const S> delta, Tensor<S> x_bar, Write write,
                                  Grads* grads) {
  second_order(params, saved, x_dot, delta, {}, x_bar, write, grads);
}

template <class T, class S>
void SwigluGate<T, S>::second_order(const Params& /*params*/, const Saved& saved,
                                    Tensor<const S> x_dot, Tensor<const S> delta,
                                    Tensor<const S> y_bar, Tensor<S> x_bar, Write write,
                                    Grads* /*grads*/, const Recomputed& recomputed) {
  check_shape("swiglu", "x_dot", x_dot.shape, saved.x.shape);
  check_shape("swiglu", "x_bar", x_bar.shape, saved.x.shape);
  check<S>(x_dot, delta);
  const RowsOf size = rows_of(delta);
  kernels::swiglu<T, S>().second_order(
      size.rows, size.width, saved.x.data, x_dot.data, delta.data, y_bar.data, write == Write::kAdd,
      x_bar.data, recomputed.delta_x.data, recomputed.y.data, recomputed.y_dot.data);
}

template struct SwigluGate<float>;
template struct SwigluGate<double>;
template struct SwigluGate<float, Bfloat16>;

}  // namespace ebt
