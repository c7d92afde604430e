#include "ebt/layers/attention.h"

#include <algorithm>
#include <cmath>

#include "ebt/kernels/attention.h"
#include "ebt/kernels/isa.h"

namespace ebt {
namespace {

using kernels::AttentionArguments;
using kernels::HeadRows;

template <class T>
const kernels::AttentionKernels<T>& table() {
  return kernels::kernels<kernels::AttentionKernels<T>>();
}

// Part 0 (q), 1 (k) or 2 (v) of rows that hold all three.
template <class T>
HeadRows<T> part(Tensor<T> qkv, int which) {
  if (!qkv) {
    return {};
  }
  const int64_t row = qkv.dim(2);
  return {qkv.data + which * (row / 3), qkv.dim(1), row};
}
template <class T>
HeadRows<T> whole(Tensor<T> x) {
  return {x.data, x.dim(1), x.dim(2)};
}

// What every rule of either stream needs: shapes, and the values saved by forward.
template <class T>
AttentionArguments<T> arguments(const char* name, int64_t heads, const AttentionSaved<T>& saved) {
  const Tensor<const T> x = saved.qkv;
  EBT_CHECK(x.shape.rank() == 3 && heads > 0 && x.dim(2) % (3 * heads) == 0,
            "{}: x is {}, which does not hold q, k and v of {} heads", name, x.shape.to_string(),
            heads);
  AttentionArguments<T> a;
  a.shape.batch = x.dim(0);
  a.shape.heads = heads;
  a.shape.head_width = x.dim(2) / (3 * heads);
  a.shape.queries = x.dim(1);
  a.shape.keys = x.dim(1);
  a.scale = T(1) / std::sqrt(static_cast<T>(a.shape.head_width));
  a.q = part(x, 0);
  a.k = part(x, 1);
  a.v = part(x, 2);
  a.o = whole(saved.o);
  a.log_sum = saved.log_sum.data;
  a.mean_dot = saved.mean_dot.data;
  return a;
}

template <class T>
AttentionArguments<T> context_arguments(const typename ContextAttention<T>::Params& params,
                                        const AttentionSaved<T>& saved) {
  return arguments<T>("context attention", params.heads, saved);
}

template <class T>
AttentionArguments<T> prediction_arguments(const typename PredictionAttention<T>::Params& params,
                                           const AttentionSaved<T>& saved) {
  AttentionArguments<T> a = arguments<T>("prediction attention", params.heads, saved);
  const Tensor<const T> context = params.context;
  EBT_CHECK(context.shape.rank() == 3 && context.dim(0) == a.shape.batch &&
                context.dim(2) == saved.qkv.dim(2) &&
                context.dim(1) >= params.first_query + params.lead + a.shape.queries,
            "prediction attention: x is {} from position {} but the context is {}",
            saved.qkv.shape.to_string(), params.first_query, context.shape.to_string());
  a.shape.own = true;
  a.shape.keys = context.dim(1);
  a.shape.visible = params.first_query + params.lead + 1;
  a.own_k = a.k;
  a.own_v = a.v;
  a.k = part(context, 1);
  a.v = part(context, 2);
  return a;
}

// Shapes of x and y of either stream.
template <class T>
Shape output_shape(const AttentionSaved<T>& saved) {
  const Shape x = saved.qkv.shape;
  return {x[0], x[1], x[2] / 3};
}

template <class T>
void zero(Tensor<T> x) {
  std::fill(x.begin(), x.end(), T(0));
}

template <class T>
void set_prediction_cotangents(AttentionArguments<T>& a, Tensor<T> x_bar, Write write,
                               typename PredictionAttention<T>::Grads* grads) {
  a.add = write == Write::kAdd;
  a.q_bar = part(x_bar, 0);
  a.own_k_bar = part(x_bar, 1);
  a.own_v_bar = part(x_bar, 2);
  if (grads != nullptr) {
    a.k_bar = part(grads->context, 1);
    a.v_bar = part(grads->context, 2);
  }
}

// The kernel always adds to k_bar and v_bar, so a replacing rule starts from zeros.
template <class T>
void set_context_cotangents(AttentionArguments<T>& a, Tensor<T> x_bar, Write write) {
  if (write == Write::kReplace) {
    zero(x_bar);
  }
  a.add = true;
  a.q_bar = part(x_bar, 0);
  a.k_bar = part(x_bar, 1);
  a.v_bar = part(x_bar, 2);
}

template <class T>
void set_prediction_tangents(AttentionArguments<T>& a, Tensor<const T> x_dot) {
  a.q_dot = part(x_dot, 0);
  a.own_k_dot = part(x_dot, 1);
  a.own_v_dot = part(x_dot, 2);
}

template <class T>
void set_context_tangents(AttentionArguments<T>& a, Tensor<const T> x_dot) {
  a.q_dot = part(x_dot, 0);
  a.k_dot = part(x_dot, 1);
  a.v_dot = part(x_dot, 2);
}

}  // namespace

template <class T>
void ContextAttention<T>::forward(const Params& params, Tensor<const T> x, Tensor<T> y,
                                  Saved& saved) {
  saved.qkv = x;
  saved.o = y;
  const auto a = context_arguments<T>(params, saved);
  check_shape("context attention", "y", y.shape, output_shape(saved));
  table<T>().forward(a);
}

template <class T>
void ContextAttention<T>::vjp(const Params& params, const Saved& saved, Tensor<const T> y_bar,
                              Tensor<T> x_bar, Write write, Grads* /*grads*/) {
  check_shape("context attention", "y_bar", y_bar.shape, output_shape(saved));
  check_shape("context attention", "x_bar", x_bar.shape, saved.qkv.shape);
  auto a = context_arguments<T>(params, saved);
  a.o_bar = whole(y_bar);
  set_context_cotangents(a, x_bar, write);
  table<T>().vjp(a);
}

template <class T>
void ContextAttention<T>::jvp(const Params& params, Saved& saved, Tensor<const T> x_dot,
                              Tensor<T> y_dot) {
  check_shape("context attention", "x_dot", x_dot.shape, saved.qkv.shape);
  check_shape("context attention", "y_dot", y_dot.shape, output_shape(saved));
  auto a = context_arguments<T>(params, saved);
  set_context_tangents(a, x_dot);
  a.o_dot = whole(y_dot);
  saved.o_dot = y_dot;
  table<T>().jvp(a);
}

template <class T>
void ContextAttention<T>::vjp_of_jvp(const Params& params, const Saved& saved,
                                     Tensor<const T> x_dot, Tensor<const T> delta, Tensor<T> x_bar,
                                     Write write, Grads* /*grads*/) {
  check_second_order("context attention", x_dot, delta, x_bar, saved.qkv.shape,
                     output_shape(saved));
  auto a = context_arguments<T>(params, saved);
  set_context_tangents(a, x_dot);
  a.o_dot = whole(saved.o_dot);
  a.delta = whole(delta);
  set_context_cotangents(a, x_bar, write);
  table<T>().vjp_of_jvp(a);
}

template <class T>
void PredictionAttention<T>::forward(const Params& params, Tensor<const T> x, Tensor<T> y,
                                     Saved& saved) {
  saved.qkv = x;
  saved.o = y;
  const auto a = prediction_arguments<T>(params, saved);
  check_shape("prediction attention", "y", y.shape, output_shape(saved));
  table<T>().forward(a);
}

template <class T>
void PredictionAttention<T>::vjp(const Params& params, const Saved& saved, Tensor<const T> y_bar,
                                 Tensor<T> x_bar, Write write, Grads* grads) {
  check_shape("prediction attention", "y_bar", y_bar.shape, output_shape(saved));
  check_shape("prediction attention", "x_bar", x_bar.shape, saved.qkv.shape);
  auto a = prediction_arguments<T>(params, saved);
  a.o_bar = whole(y_bar);
  set_prediction_cotangents(a, x_bar, write, grads);
  table<T>().vjp(a);
}

template <class T>
void PredictionAttention<T>::jvp(const Params& params, Saved& saved, Tensor<const T> x_dot,
                                 Tensor<T> y_dot) {
  check_shape("prediction attention", "x_dot", x_dot.shape, saved.qkv.shape);
  check_shape("prediction attention", "y_dot", y_dot.shape, output_shape(saved));
  auto a = prediction_arguments<T>(params, saved);
  set_prediction_tangents(a, x_dot);
  a.o_dot = whole(y_dot);
  saved.o_dot = y_dot;
  table<T>().jvp(a);
}

template <class T>
void PredictionAttention<T>::vjp_of_jvp(const Params& params, const Saved& saved,
                                        Tensor<const T> x_dot, Tensor<const T> delta,
                                        Tensor<T> x_bar, Write write, Grads* grads) {
  second_order(params, saved, x_dot, delta, {}, x_bar, write, grads);
}

template <class T>
void PredictionAttention<T>::second_order(const Params& params, const Saved& saved,
                                          Tensor<const T> x_dot, Tensor<const T> delta,
                                          Tensor<const T> y_bar, Tensor<T> x_bar, Write write,
                                          Grads* grads) {
  check_second_order("prediction attention", x_dot, delta, x_bar, saved.qkv.shape,
                     output_shape(saved));
  EBT_CHECK(grads != nullptr, "prediction attention: the second order needs context cotangents");
  auto a = prediction_arguments<T>(params, saved);
  set_prediction_tangents(a, x_dot);
  a.o_dot = whole(saved.o_dot);
  a.delta = whole(delta);
  if (y_bar) {
    a.o_bar = whole(y_bar);
  }
  set_prediction_cotangents(a, x_bar, write, grads);
  table<T>().vjp_of_jvp(a);
}

template struct ContextAttention<float>;
template struct ContextAttention<double>;
template struct PredictionAttention<float>;
template struct PredictionAttention<double>;

}  // namespace ebt
