#include "ebt/layers/gate.h"

#include "ebt/kernels/elementwise.h"
#include "ebt/kernels/gate.h"

namespace ebt {
namespace {

template <class T, class S>
kernels::GateArguments<T> arguments(const kernels::Matrix<const T>& gate, Tensor<S> x) {
  EBT_CHECK(x.shape.rank() > 0 && x.dim(x.shape.rank() - 1) == gate.columns,
            "gate: x is {} but the gate has {} entries", x.shape.to_string(), gate.columns);
  const int64_t rows = gate.columns == 0 ? 0 : x.count() / gate.columns;
  EBT_CHECK(gate.rows >= 1 && rows % gate.rows == 0, "gate: {} rows are not {} equal groups", rows,
            gate.rows);
  return {rows, gate.columns, gate.data, gate.rows, gate.row};
}

template <class T, class Params, class Grads>
T* gradient(const Params& params, const Grads* grads) {
  if (grads == nullptr) {
    return nullptr;
  }
  EBT_CHECK(grads->gate.rows == params.gate.rows && grads->gate.row == params.gate.row &&
                grads->gate.columns == params.gate.columns,
            "gate: the gradient is not laid out as the gate");
  return grads->gate.data;
}

}  // namespace

template <class T, class S>
void Gate<T, S>::forward(const Params& params, Tensor<const S> x, Tensor<T> y, Saved& saved,
                         Write write) {
  saved.x = x;
  const auto a = arguments<T>(params.gate, x);
  check_shape("gate", "y", y.shape, x.shape);
  kernels::gate<T, S>().forward(a, x.data, write == Write::kAdd, y.data);
}

template <class T, class S>
void Gate<T, S>::vjp(const Params& params, const Saved& saved, Tensor<const S> y_bar,
                     Tensor<S> x_bar, Write write, Grads* grads) {
  const auto a = arguments<T>(params.gate, y_bar);
  check_shape("gate", "x_bar", x_bar.shape, y_bar.shape);
  kernels::gate<T, S>().vjp(a, saved.x.data, y_bar.data, write == Write::kAdd, x_bar.data,
                            gradient<T>(params, grads));
}

template <class T, class S>
void Gate<T, S>::jvp(const Params& params, const Saved& /*saved*/, Tensor<const S> x_dot,
                     Tensor<T> y_dot, Write write) {
  Saved unused;
  forward(params, x_dot, y_dot, unused, write);
}

template <class T, class S>
void Gate<T, S>::vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const S> x_dot,
                            Tensor<const S> delta, Tensor<S> x_bar, Write write, Grads* grads) {
  check_second_order("gate", x_dot, delta, x_bar, saved.x.shape, saved.x.shape);
  if (write == Write::kReplace) {
    kernels::elementwise<S>().fill(x_bar.count(), static_cast<S>(T(0)), x_bar.data);
  }
  kernels::gate<T, S>().second_order(arguments<T>(params.gate, saved.x), saved.x.data, x_dot.data,
                                     delta.data, nullptr, false, nullptr, nullptr,
                                     gradient<T>(params, grads));
}

template <class T, class S>
void Gate<T, S>::second_order(const Params& params, const Saved& saved, Tensor<const S> x_dot,
                              Tensor<const S> delta, Tensor<const S> y_bar, Tensor<S> x_bar,
                              Write write, Grads* grads, Tensor<S> delta_x) {
  check_second_order("gate", x_dot, delta, x_bar, saved.x.shape, saved.x.shape);
  kernels::gate<T, S>().second_order(arguments<T>(params.gate, saved.x), saved.x.data, x_dot.data,
                                     delta.data, y_bar.data, write == Write::kAdd, x_bar.data,
                                     delta_x.data, gradient<T>(params, grads));
}

template struct Gate<float>;
template struct Gate<double>;
template struct Gate<float, Bfloat16>;

}  // namespace ebt
