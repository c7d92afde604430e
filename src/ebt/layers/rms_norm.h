// Root-mean-square normalisation of the last axis, y = x r w + shift with r = (mean x^2 + eps)^-1/2
// (Zhang and Sennrich, 2019). D is the width, g = w y_bar. An adaLN landscape modulates it (Peebles
// and Xie, 2023) through its gain w and its shift; without one there is no shift.
//
//   forward     y     = x r w + shift
//   vjp         x_bar = r g - r^3 (g.x) x / D            w_bar += sum of y_bar r x
//                                                        shift_bar += sum of y_bar
//   jvp         y_dot = w (r x_dot - r^3 (x.x_dot) x / D)
//   vjp_of_jvp  with g = w delta, a = g.x_dot, b = x.x_dot, c = g.x:
//               x_bar = -(r^3/D) (a x + c x_dot + b g) + 3 (r^5/D^2) b c x
//               w_bar += sum of delta (r x_dot - r^3 b x / D)
#pragma once

#include "ebt/kernels/rms_norm.h"
#include "ebt/layers/layer.h"

namespace ebt {

// T computes; x, y and their derivatives are stored as S.
template <class T, class S = T>
struct RmsNorm {
  using Scalar = T;
  using StreamCotangent = kernels::StreamCotangent<T, S>;
  struct Params {
    Tensor<const T> weight;  // (D)
    T eps = 0;
    Tensor<const T> shift;  // (D) or absent
  };
  struct Grads {
    Tensor<T> weight;
    Tensor<T> shift;
  };
  struct Saved {
    Tensor<const S> x;
    Tensor<T> inverse_rms;  // (rows): memory that the caller provides to forward
  };

  // The contract: x, y (..., D).
  static void forward(const Params& params, Tensor<const S> x, Tensor<S> y, Saved& saved);
  static void vjp(const Params& params, const Saved& saved, Tensor<const S> y_bar, Tensor<T> x_bar,
                  Write write, Grads* grads);
  static void jvp(const Params& params, const Saved& saved, Tensor<const S> x_dot, Tensor<S> y_dot);
  static void vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const S> x_dot,
                         Tensor<const S> delta, Tensor<T> x_bar, Write write, Grads* grads);

  // vjp and vjp_of_jvp in one visit, for layer.h's second_order.
  static void second_order(const Params& params, const Saved& saved, Tensor<const S> x_dot,
                           Tensor<const S> delta, Tensor<const S> y_bar, Tensor<T> x_bar,
                           Write write, Grads* grads);

  // The same at the entrance of a residual branch, where x is what a stream in T holds, rounded
  // into `kept`, and the cotangent of x joins the stream's. What a weight gradient needs again, y
  // and y_dot, is not kept but made once more on the way down: y and y_dot may be absent.
  static void read_stream(const Params& params, Tensor<const T> stream, Tensor<S> kept, Tensor<S> y,
                          Saved& saved);
  static void vjp_to_stream(const Params& params, const Saved& saved, Tensor<const S> y_bar,
                            StreamCotangent x_bar, Grads* grads, Tensor<S> y);
  static void jvp_of_stream(const Params& params, const Saved& saved, Tensor<const T> stream_dot,
                            Tensor<S> kept, Tensor<S> y_dot);
  // An absent y_bar is zero.
  static void second_order_to_stream(const Params& params, const Saved& saved,
                                     Tensor<const S> x_dot, Tensor<const S> delta,
                                     Tensor<const S> y_bar, StreamCotangent x_bar, Grads* grads,
                                     Tensor<S> y, Tensor<S> y_dot);
};

}  // namespace ebt
