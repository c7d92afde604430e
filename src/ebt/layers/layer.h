// The contract of a layer: y = f(x; params) and the three derivative rules that thinking and its
// training gradient need. No virtuals, no graph, no tape: a model calls the rules it wants.
//
//   forward   (params, x, y, saved)                          y     = f(x)
//   vjp       (params, saved, y_bar, x_bar, write, grads)    x_bar = J^T y_bar
//   jvp       (params, saved, x_dot, y_dot)                  y_dot = J x_dot
//   vjp_of_jvp(params, saved, x_dot, delta, x_bar, write, grads)
//                                                            x_bar = d/dx <delta, J x_dot>
//
// Outputs of forward and jvp are replaced. x_bar is replaced or added to, as `write` says. `grads`
// (the same derivatives with respect to the parameters) are always added to; nullptr: not wanted.
// `saved` holds views that forward recorded: they must outlive the other rules. Tensors do not
// overlap unless a layer says so. Wrong shapes throw Error.
#pragma once

#include <concepts>

#include "ebt/core/tensor.h"
#include "ebt/kernels/gemm.h"

namespace ebt {

using kernels::Write;

// Throws Error, naming layer and tensor, unless `actual` is the shape that the rest calls for.
inline void check_shape(const char* layer, const char* tensor, const Shape& actual,
                        const Shape& expected) {
  EBT_CHECK(actual == expected, "{}: {} is {} but should be {}", layer, tensor, actual.to_string(),
            expected.to_string());
}

// The shapes of vjp_of_jvp, for layers whose x_bar is then 0 or needs no further check.
template <class T>
void check_second_order(const char* layer, Tensor<const T> x_dot, Tensor<const T> delta,
                        Tensor<T> x_bar, const Shape& x, const Shape& y) {
  check_shape(layer, "x_dot", x_dot.shape, x);
  check_shape(layer, "delta", delta.shape, y);
  check_shape(layer, "x_bar", x_bar.shape, x);
}

template <class L>
concept Layer = requires(const typename L::Params& params, typename L::Saved& saved,
                         Tensor<const typename L::Scalar> in, Tensor<typename L::Scalar> out,
                         Write write, typename L::Grads* grads) {
  L::forward(params, in, out, saved);
  L::vjp(params, saved, in, out, write, grads);
  L::jvp(params, saved, in, out);
  L::vjp_of_jvp(params, saved, in, in, out, write, grads);
};

// The step of the second-order sweep through one layer: x_bar = J^T y_bar + d/dx <delta, J x_dot>,
// and the same for the parameters. PredictionAttention has a member of this name that does both in
// one visit.
template <Layer L>
void second_order(const typename L::Params& params, const typename L::Saved& saved,
                  Tensor<const typename L::Scalar> x_dot, Tensor<const typename L::Scalar> delta,
                  Tensor<const typename L::Scalar> y_bar, Tensor<typename L::Scalar> x_bar,
                  Write write, typename L::Grads* grads) {
  L::vjp(params, saved, y_bar, x_bar, write, grads);
  L::vjp_of_jvp(params, saved, x_dot, delta, x_bar, Write::kAdd, grads);
}

}  // namespace ebt
