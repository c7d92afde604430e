#include "ebt/layers/attention.h"

#include <cmath>

#include "ebt/core/work_watch.h"
#include "ebt/kernels/attention.h"
#include "ebt/kernels/elementwise.h"

namespace ebt {
namespace {

using kernels::AttentionArguments;
using kernels::HeadRows;

template <class T, class S>
using Rule = void (*)(const AttentionArguments<T, S>&);

// Throws Stopped where the pass ended early.
template <class T, class S>
void run(Rule<T, S> kernels::AttentionKernels<T, S>::*rule, const AttentionArguments<T, S>& a) {
  (kernels::attention<T, S>().*rule)(a);
  check_stop();
}

// One of the `parts` that rows are made of, counted from 0.
template <class U>
HeadRows<U> part(Tensor<U> x, int which, int parts = 3) {
  if (!x) {
    return {};
  }
  const int64_t row = x.dim(2);
  return {x.data + which * (row / parts), x.dim(1), row};
}
template <class U>
HeadRows<U> whole(Tensor<U> x) {
  return {x.data, x.dim(1), x.dim(2)};
}

// What every rule of either stream needs: shapes, and the values saved by forward.
template <class T, class S>
AttentionArguments<T, S> arguments(const char* name, int64_t heads,
                                   const AttentionSaved<T, S>& saved) {
  const Tensor<const S> x = saved.qkv;
  EBT_CHECK(x.shape.rank() == 3 && heads > 0 && x.dim(2) % (3 * heads) == 0,
            "{}: x is {}, which does not hold q, k and v of {} heads", name, x.shape.to_string(),
            heads);
  AttentionArguments<T, S> a;
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

template <class T, class S>
AttentionArguments<T, S> context_arguments(const typename ContextAttention<T, S>::Params& params,
                                           const AttentionSaved<T, S>& saved) {
  return arguments<T, S>("context attention", params.heads, saved);
}

// The sequences of the context, or of its cotangents, that belong to the queries.
template <class T, class S, class U>
Tensor<U> context_rows(const typename PredictionAttention<T, S>::Params& params,
                       const AttentionSaved<T, S>& saved, Tensor<U> context) {
  return context ? context.slice(params.first_row, saved.qkv.dim(0)) : context;
}

template <class T, class S>
AttentionArguments<T, S> prediction_arguments(
    const typename PredictionAttention<T, S>::Params& params, const AttentionSaved<T, S>& saved) {
  AttentionArguments<T, S> a = arguments<T, S>("prediction attention", params.heads, saved);
  const Tensor<const S> context = params.context;
  EBT_CHECK(context.shape.rank() == 3 && params.first_row >= 0 &&
                context.dim(0) >= params.first_row + a.shape.batch &&
                context.dim(2) == saved.qkv.dim(2) &&
                context.dim(1) >= params.first_query + params.lead + a.shape.queries,
            "prediction attention: x is {} from sequence {}, position {} but the context is {}",
            saved.qkv.shape.to_string(), params.first_row, params.first_query,
            context.shape.to_string());
  const Tensor<const S> rows = context_rows<T, S>(params, saved, context);
  a.shape.own = true;
  a.shape.keys = context.dim(1);
  a.shape.visible = params.first_query + params.lead + 1;
  a.own_k = a.k;
  a.own_v = a.v;
  a.k = part(rows, 1);
  a.v = part(rows, 2);
  return a;
}

// Shapes of x and y of either stream.
template <class T, class S>
Shape output_shape(const AttentionSaved<T, S>& saved) {
  const Shape x = saved.qkv.shape;
  return {x[0], x[1], x[2] / 3};
}

template <class T, class S>
void set_prediction_cotangents(AttentionArguments<T, S>& a,
                               const typename PredictionAttention<T, S>::Params& params,
                               const AttentionSaved<T, S>& saved, Tensor<S> x_bar, Write write,
                               typename PredictionAttention<T, S>::Grads* grads) {
  a.add = write == Write::kAdd;
  a.q_bar = part(x_bar, 0);
  a.own_k_bar = part(x_bar, 1);
  a.own_v_bar = part(x_bar, 2);
  if (grads != nullptr && grads->context) {
    const Shape context = params.context.shape;
    check_shape("prediction attention", "the context's cotangent", grads->context.shape,
                {context[0], context[1], context[2] / 3 * 2});
    const Tensor<T> rows = context_rows<T, S>(params, saved, grads->context);
    a.k_bar = part(rows, 0, 2);
    a.v_bar = part(rows, 1, 2);
  }
}

// The kernel always adds to k_bar and v_bar, so a replacing rule starts from zeros.
template <class T>
void set_context_cotangents(AttentionArguments<T>& a, Tensor<T> x_bar, Write write) {
  if (write == Write::kReplace) {
    kernels::elementwise<T>().fill(x_bar.count(), T(0), x_bar.data);
  }
  a.add = true;
  a.q_bar = part(x_bar, 0);
  a.k_bar = part(x_bar, 1);
  a.v_bar = part(x_bar, 2);
}

template <class T, class S>
void set_prediction_tangents(AttentionArguments<T, S>& a, Tensor<const S> x_dot) {
  a.q_dot = part(x_dot, 0);
  a.own_k_dot = part(x_dot, 1);
  a.own_v_dot = part(x_dot, 2);
}

// Tangents of a stream whose keys are its own.
template <class T, class S>
void set_context_tangents(AttentionArguments<T, S>& a, Tensor<const S> x_dot) {
  a.q_dot = part(x_dot, 0);
  a.k_dot = part(x_dot, 1);
  a.v_dot = part(x_dot, 2);
}

template <class T, class S>
AttentionArguments<T, S> bidirectional_arguments(
    const typename BidirectionalAttention<T, S>::Params& params,
    const AttentionSaved<T, S>& saved) {
  auto a = arguments<T, S>("bidirectional attention", params.heads, saved);
  a.shape.visible = a.shape.keys;
  return a;
}

template <class T, class S>
void set_bidirectional_cotangents(AttentionArguments<T, S>& a, Tensor<S> x_bar, Write write) {
  a.add = write == Write::kAdd;
  a.q_bar = part(x_bar, 0);
  a.stored_k_bar = part(x_bar, 1);
  a.stored_v_bar = part(x_bar, 2);
}

}  // namespace

template <class T, class S>
void ContextAttention<T, S>::forward(const Params& params, Tensor<const S> x, Tensor<S> y,
                                     Saved& saved) {
  saved.qkv = x;
  saved.o = y;
  const auto a = context_arguments<T, S>(params, saved);
  check_shape("context attention", "y", y.shape, output_shape(saved));
  run<T, S>(&kernels::AttentionKernels<T, S>::forward, a);
}

template <class T, class S>
void ContextAttention<T, S>::vjp_apart(const Params& params, const Saved& saved,
                                       Tensor<const S> y_bar, Tensor<S> x_bar, Tensor<T> keys_bar) {
  const Shape x = saved.qkv.shape;
  check_shape("context attention", "y_bar", y_bar.shape, output_shape(saved));
  check_shape("context attention", "x_bar", x_bar.shape, x);
  check_shape("context attention", "keys_bar", keys_bar.shape, {x[0], x[1], x[2] / 3 * 2});
  auto a = context_arguments<T, S>(params, saved);
  a.o_bar = whole(y_bar);
  a.q_bar = part(x_bar, 0);
  a.k_bar = part(keys_bar, 0, 2);
  a.v_bar = part(keys_bar, 1, 2);
  run<T, S>(&kernels::AttentionKernels<T, S>::vjp, a);
}

template <class T, class S>
void ContextAttention<T, S>::vjp(const Params& params, const Saved& saved, Tensor<const S> y_bar,
                                 Tensor<S> x_bar, Write write,
                                 Grads* /*grads*/) requires std::is_same_v<S, T> {
  check_shape("context attention", "y_bar", y_bar.shape, output_shape(saved));
  check_shape("context attention", "x_bar", x_bar.shape, saved.qkv.shape);
  auto a = context_arguments<T, S>(params, saved);
  a.o_bar = whole(y_bar);
  set_context_cotangents(a, x_bar, write);
  run<T, S>(&kernels::AttentionKernels<T, S>::vjp, a);
}

template <class T, class S>
void ContextAttention<T, S>::jvp(const Params& params, Saved& saved, Tensor<const S> x_dot,
                                 Tensor<S> y_dot) requires std::is_same_v<S, T> {
  check_shape("context attention", "x_dot", x_dot.shape, saved.qkv.shape);
  check_shape("context attention", "y_dot", y_dot.shape, output_shape(saved));
  auto a = context_arguments<T, S>(params, saved);
  set_context_tangents<T, T>(a, x_dot);
  a.o_dot = whole(y_dot);
  saved.o_dot = y_dot;
  run<T, S>(&kernels::AttentionKernels<T, S>::jvp, a);
}

template <class T, class S>
void ContextAttention<T, S>::vjp_of_jvp(const Params& params, const Saved& saved,
                                        Tensor<const S> x_dot, Tensor<const S> delta,
                                        Tensor<S> x_bar, Write write,
                                        Grads* /*grads*/) requires std::is_same_v<S, T> {
  check_second_order("context attention", x_dot, delta, x_bar, saved.qkv.shape,
                     output_shape(saved));
  auto a = context_arguments<T, S>(params, saved);
  set_context_tangents<T, T>(a, x_dot);
  a.o_dot = whole(saved.o_dot);
  a.delta = whole(delta);
  set_context_cotangents(a, x_bar, write);
  run<T, S>(&kernels::AttentionKernels<T, S>::vjp_of_jvp, a);
}

template <class T, class S>
void PredictionAttention<T, S>::forward(const Params& params, Tensor<const S> x, Tensor<S> y,
                                        Saved& saved) {
  saved.qkv = x;
  saved.o = y;
  const auto a = prediction_arguments<T, S>(params, saved);
  check_shape("prediction attention", "y", y.shape, output_shape(saved));
  run<T, S>(&kernels::AttentionKernels<T, S>::forward, a);
}

template <class T, class S>
void PredictionAttention<T, S>::vjp(const Params& params, const Saved& saved, Tensor<const S> y_bar,
                                    Tensor<S> x_bar, Write write, Grads* grads) {
  check_shape("prediction attention", "y_bar", y_bar.shape, output_shape(saved));
  check_shape("prediction attention", "x_bar", x_bar.shape, saved.qkv.shape);
  auto a = prediction_arguments<T, S>(params, saved);
  a.o_bar = whole(y_bar);
  set_prediction_cotangents<T, S>(a, params, saved, x_bar, write, grads);
  run<T, S>(&kernels::AttentionKernels<T, S>::vjp, a);
}

template <class T, class S>
void PredictionAttention<T, S>::jvp(const Params& params, Saved& saved, Tensor<const S> x_dot,
                                    Tensor<S> y_dot) {
  check_shape("prediction attention", "x_dot", x_dot.shape, saved.qkv.shape);
  check_shape("prediction attention", "y_dot", y_dot.shape, output_shape(saved));
  auto a = prediction_arguments<T, S>(params, saved);
  set_prediction_tangents<T, S>(a, x_dot);
  a.o_dot = whole(y_dot);
  saved.o_dot = y_dot;
  run<T, S>(&kernels::AttentionKernels<T, S>::jvp, a);
}

template <class T, class S>
void PredictionAttention<T, S>::vjp_of_jvp(const Params& params, const Saved& saved,
                                           Tensor<const S> x_dot, Tensor<const S> delta,
                                           Tensor<S> x_bar, Write write, Grads* grads) {
  second_order(params, saved, x_dot, delta, {}, x_bar, write, grads);
}

template <class T, class S>
void PredictionAttention<T, S>::second_order(const Params& params, const Saved& saved,
                                             Tensor<const S> x_dot, Tensor<const S> delta,
                                             Tensor<const S> y_bar, Tensor<S> x_bar, Write write,
                                             Grads* grads) {
  check_second_order("prediction attention", x_dot, delta, x_bar, saved.qkv.shape,
                     output_shape(saved));
  EBT_CHECK(grads != nullptr, "prediction attention: the second order needs context cotangents");
  auto a = prediction_arguments<T, S>(params, saved);
  set_prediction_tangents<T, S>(a, x_dot);
  a.o_dot = whole(saved.o_dot);
  a.delta = whole(delta);
  if (y_bar) {
    a.o_bar = whole(y_bar);
  }
  set_prediction_cotangents<T, S>(a, params, saved, x_bar, write, grads);
  run<T, S>(&kernels::AttentionKernels<T, S>::vjp_of_jvp, a);
}

template <class T, class S>
void BidirectionalAttention<T, S>::forward(const Params& params, Tensor<const S> x, Tensor<S> y,
                                           Saved& saved) {
  saved.qkv = x;
  saved.o = y;
  const auto a = bidirectional_arguments<T, S>(params, saved);
  check_shape("bidirectional attention", "y", y.shape, output_shape(saved));
  run<T, S>(&kernels::AttentionKernels<T, S>::forward, a);
}

template <class T, class S>
void BidirectionalAttention<T, S>::vjp(const Params& params, const Saved& saved,
                                       Tensor<const S> y_bar, Tensor<S> x_bar, Write write,
                                       Grads* /*grads*/) {
  check_shape("bidirectional attention", "y_bar", y_bar.shape, output_shape(saved));
  check_shape("bidirectional attention", "x_bar", x_bar.shape, saved.qkv.shape);
  auto a = bidirectional_arguments<T, S>(params, saved);
  a.o_bar = whole(y_bar);
  set_bidirectional_cotangents<T, S>(a, x_bar, write);
  run<T, S>(&kernels::AttentionKernels<T, S>::vjp, a);
}

template <class T, class S>
void BidirectionalAttention<T, S>::jvp(const Params& params, Saved& saved, Tensor<const S> x_dot,
                                       Tensor<S> y_dot) {
  check_shape("bidirectional attention", "x_dot", x_dot.shape, saved.qkv.shape);
  check_shape("bidirectional attention", "y_dot", y_dot.shape, output_shape(saved));
  auto a = bidirectional_arguments<T, S>(params, saved);
  set_context_tangents<T, S>(a, x_dot);
  a.o_dot = whole(y_dot);
  saved.o_dot = y_dot;
  run<T, S>(&kernels::AttentionKernels<T, S>::jvp, a);
}

template <class T, class S>
void BidirectionalAttention<T, S>::vjp_of_jvp(const Params& params, const Saved& saved,
                                              Tensor<const S> x_dot, Tensor<const S> delta,
                                              Tensor<S> x_bar, Write write, Grads* grads) {
  second_order(params, saved, x_dot, delta, {}, x_bar, write, grads);
}

template <class T, class S>
void BidirectionalAttention<T, S>::second_order(const Params& params, const Saved& saved,
                                                Tensor<const S> x_dot, Tensor<const S> delta,
                                                Tensor<const S> y_bar, Tensor<S> x_bar, Write write,
                                                Grads* /*grads*/) {
  check_second_order("bidirectional attention", x_dot, delta, x_bar, saved.qkv.shape,
                     output_shape(saved));
  auto a = bidirectional_arguments<T, S>(params, saved);
  set_context_tangents<T, S>(a, x_dot);
  a.o_dot = whole(saved.o_dot);
  a.delta = whole(delta);
  if (y_bar) {
    a.o_bar = whole(y_bar);
  }
  set_bidirectional_cotangents<T, S>(a, x_bar, write);
  run<T, S>(&kernels::AttentionKernels<T, S>::vjp_of_jvp, a);
}

template struct ContextAttention<float>;
template struct ContextAttention<double>;
// What exists for S that is not T, member by member: clang 14 would instantiate the others too.
using Context = ContextAttention<float, Bfloat16>;
template void Context::forward(const Params&, Tensor<const Bfloat16>, Tensor<Bfloat16>, Saved&);
template void Context::vjp_apart(const Params&, const Saved&, Tensor<const Bfloat16>,
                                 Tensor<Bfloat16>, Tensor<float>);
template struct PredictionAttention<float>;
template struct PredictionAttention<double>;
template struct PredictionAttention<float, Bfloat16>;
template struct BidirectionalAttention<float>;
template struct BidirectionalAttention<double>;
template struct BidirectionalAttention<float, Bfloat16>;

}  // namespace ebt
