#include "ebt/layers/modulation.h"

#include <algorithm>

#include "ebt/kernels/elementwise.h"
#include "ebt/kernels/isa.h"

namespace ebt {
namespace {

template <class T>
const kernels::ElementwiseKernels<T>& table() {
  return kernels::kernels<kernels::ElementwiseKernels<T>>();
}

// y = x (offset + scale) + shift, or added to y.
template <class T>
void scale_columns(const char* name, Tensor<const T> x, T offset, Tensor<const T> scale,
                   const T* shift, Write write, Tensor<T> y) {
  const int64_t width = scale.count();
  EBT_CHECK(x.shape.rank() > 0 && x.dim(x.shape.rank() - 1) == width && x.count() == y.count(),
            "{}: x is {} but the landscape vector has {} entries", name, x.shape.to_string(),
            width);
  table<T>().scale_columns(width == 0 ? 0 : x.count() / width, width, x.data, offset, scale.data,
                           shift, write == Write::kAdd ? y.data : nullptr, y.data);
}

template <class T>
void sum_rows(Tensor<const T> a, const T* b, Tensor<T> out) {
  const int64_t width = out.count();
  table<T>().sum_rows(width == 0 ? 0 : a.count() / width, width, a.data, b, out.data);
}

template <class T>
void zero_if_replaced(Tensor<T> x, Write write) {
  if (write == Write::kReplace) {
    std::fill(x.begin(), x.end(), T(0));
  }
}

}  // namespace

template <class T>
void Modulation<T>::forward(const Params& params, Tensor<const T> x, Tensor<T> y, Saved& saved) {
  saved.x = x;
  scale_columns("modulation", x, T(1), params.scale, params.shift.data, Write::kReplace, y);
}

template <class T>
void Modulation<T>::vjp(const Params& params, const Saved& saved, Tensor<const T> y_bar,
                        Tensor<T> x_bar, Write write, Grads* grads) {
  scale_columns<T>("modulation", y_bar, T(1), params.scale, nullptr, write, x_bar);
  if (grads != nullptr) {
    sum_rows(y_bar, saved.x.data, grads->scale);
    sum_rows<T>(y_bar, nullptr, grads->shift);
  }
}

template <class T>
void Modulation<T>::jvp(const Params& params, const Saved& /*saved*/, Tensor<const T> x_dot,
                        Tensor<T> y_dot) {
  scale_columns<T>("modulation", x_dot, T(1), params.scale, nullptr, Write::kReplace, y_dot);
}

template <class T>
void Modulation<T>::vjp_of_jvp(const Params& /*params*/, const Saved& saved, Tensor<const T> x_dot,
                               Tensor<const T> delta, Tensor<T> x_bar, Write write, Grads* grads) {
  check_second_order("modulation", x_dot, delta, x_bar, saved.x.shape, saved.x.shape);
  zero_if_replaced(x_bar, write);
  if (grads != nullptr) {
    sum_rows(delta, x_dot.data, grads->scale);
  }
}

template <class T>
void Gate<T>::forward(const Params& params, Tensor<const T> x, Tensor<T> y, Saved& saved) {
  saved.x = x;
  scale_columns<T>("gate", x, T(0), params.gate, nullptr, Write::kReplace, y);
}

template <class T>
void Gate<T>::vjp(const Params& params, const Saved& saved, Tensor<const T> y_bar, Tensor<T> x_bar,
                  Write write, Grads* grads) {
  scale_columns<T>("gate", y_bar, T(0), params.gate, nullptr, write, x_bar);
  if (grads != nullptr) {
    sum_rows(y_bar, saved.x.data, grads->gate);
  }
}

template <class T>
void Gate<T>::jvp(const Params& params, const Saved& /*saved*/, Tensor<const T> x_dot,
                  Tensor<T> y_dot) {
  scale_columns<T>("gate", x_dot, T(0), params.gate, nullptr, Write::kReplace, y_dot);
}

template <class T>
void Gate<T>::vjp_of_jvp(const Params& /*params*/, const Saved& saved, Tensor<const T> x_dot,
                         Tensor<const T> delta, Tensor<T> x_bar, Write write, Grads* grads) {
  check_second_order("gate", x_dot, delta, x_bar, saved.x.shape, saved.x.shape);
  zero_if_replaced(x_bar, write);
  if (grads != nullptr) {
    sum_rows(delta, x_dot.data, grads->gate);
  }
}

template struct Modulation<float>;
template struct Modulation<double>;
template struct Gate<float>;
template struct Gate<double>;

}  // namespace ebt
