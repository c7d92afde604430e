#include "ebt/layers/swiglu.h"

#include "ebt/kernels/isa.h"
#include "ebt/kernels/swiglu.h"

namespace ebt {
namespace {

template <class T>
const kernels::SwigluKernels<T>& table() {
  return kernels::kernels<kernels::SwigluKernels<T>>();
}

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

template <class T>
void SwigluGate<T>::forward(const Params& /*params*/, Tensor<const T> x, Tensor<T> y,
                            Saved& saved) {
  check<T>(x, y);
  saved.x = x;
  const RowsOf size = rows_of<T>(y);
  table<T>().forward(size.rows, size.width, x.data, y.data);
}

template <class T>
void SwigluGate<T>::vjp(const Params& /*params*/, const Saved& saved, Tensor<const T> y_bar,
                        Tensor<T> x_bar, Write write, Grads* /*grads*/) {
  check_shape("swiglu", "x_bar", x_bar.shape, saved.x.shape);
  check<T>(x_bar, y_bar);
  const RowsOf size = rows_of(y_bar);
  table<T>().vjp(size.rows, size.width, saved.x.data, y_bar.data, write == Write::kAdd, x_bar.data);
}

template <class T>
void SwigluGate<T>::jvp(const Params& /*params*/, const Saved& saved, Tensor<const T> x_dot,
                        Tensor<T> y_dot) {
  check_shape("swiglu", "x_dot", x_dot.shape, saved.x.shape);
  check<T>(x_dot, y_dot);
  const RowsOf size = rows_of<T>(y_dot);
  table<T>().jvp(size.rows, size.width, saved.x.data, x_dot.data, y_dot.data);
}

template <class T>
void SwigluGate<T>::vjp_of_jvp(const Params& /*params*/, const Saved& saved, Tensor<const T> x_dot,
                               Tensor<const T> delta, Tensor<T> x_bar, Write write,
                               Grads* /*grads*/) {
  check_shape("swiglu", "x_dot", x_dot.shape, saved.x.shape);
  check_shape("swiglu", "x_bar", x_bar.shape, saved.x.shape);
  check<T>(x_dot, delta);
  const RowsOf size = rows_of(delta);
  table<T>().vjp_of_jvp(size.rows, size.width, saved.x.data, x_dot.data, delta.data,
                        write == Write::kAdd, x_bar.data);
}

template struct SwigluGate<float>;
template struct SwigluGate<double>;

}  // namespace ebt
