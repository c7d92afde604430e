#include "ebt/layers/gate.h"

#include <algorithm>

#include "ebt/kernels/elementwise.h"
#include "ebt/kernels/isa.h"

namespace ebt {
namespace {

template <class T, class S>
const kernels::StoredKernels<T, S>& table() {
  return kernels::kernels<kernels::StoredKernels<T, S>>();
}

// Rows of x, which must be as wide as the gate.
template <class T, class S, class Y>
int64_t checked_rows(Tensor<const T> gate, Tensor<const S> x, Tensor<Y> y) {
  const int64_t width = gate.count();
  EBT_CHECK(x.shape.rank() > 0 && x.dim(x.shape.rank() - 1) == width && x.count() == y.count(),
            "gate: x is {} but the landscape vector has {} entries", x.shape.to_string(), width);
  return width == 0 ? 0 : x.count() / width;
}

template <class T, class S>
void add_gradient(Tensor<const S> y_bar, Tensor<const S> x, typename Gate<T, S>::Grads* grads) {
  if (grads != nullptr) {
    const int64_t width = grads->gate.count();
    table<T, S>().sum_rows(width == 0 ? 0 : x.count() / width, width, y_bar.data, x.data,
                           grads->gate.data);
  }
}

}  // namespace

template <class T, class S>
void Gate<T, S>::forward(const Params& params, Tensor<const S> x, Tensor<T> y, Saved& saved,
                         Write write) {
  saved.x = x;
  table<T, S>().scale_columns_sum(checked_rows(params.gate, x, y), params.gate.count(), x.data,
                                  params.gate.data, write == Write::kAdd, y.data);
}

template <class T, class S>
void Gate<T, S>::vjp(const Params& params, const Saved& saved, Tensor<const S> y_bar,
                     Tensor<S> x_bar, Write write, Grads* grads) {
  table<T, S>().scale_columns(checked_rows(params.gate, y_bar, x_bar), params.gate.count(),
                              y_bar.data, params.gate.data, write == Write::kAdd, x_bar.data);
  add_gradient<T, S>(y_bar, saved.x, grads);
}

template <class T, class S>
void Gate<T, S>::jvp(const Params& params, const Saved& /*saved*/, Tensor<const S> x_dot,
                     Tensor<T> y_dot, Write write) {
  Saved unused;
  forward(params, x_dot, y_dot, unused, write);
}

template <class T, class S>
void Gate<T, S>::vjp_of_jvp(const Params& /*params*/, const Saved& saved, Tensor<const S> x_dot,
                            Tensor<const S> delta, Tensor<S> x_bar, Write write, Grads* grads) {
  check_shape("gate", "x_dot", x_dot.shape, saved.x.shape);
  check_shape("gate", "delta", delta.shape, saved.x.shape);
  if (x_bar) {
    check_shape("gate", "x_bar", x_bar.shape, saved.x.shape);
    if (write == Write::kReplace) {
      std::fill(x_bar.begin(), x_bar.end(), static_cast<S>(T(0)));
    }
  }
  add_gradient<T, S>(delta, x_dot, grads);
}

template struct Gate<float>;
template struct Gate<double>;
template struct Gate<float, Bfloat16>;

}  // namespace ebt
