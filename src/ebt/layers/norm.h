// Normalisation of the rows x (..., D) of a residual stream through a gain and a shift: by their
// root mean square (Zhang and Sennrich, 2019), or, as a layer norm (Ba et al., 2016), by their
// deviation from their mean. With c = x, or c = x - mean x, r = (mean c^2 + eps)^-1/2, and P the
// identity, or what takes away the mean:
//
//   forward     y     = c r gain + shift
//   vjp         x_bar = P (r g - r^3 (g.c) c / D)   gain_bar += sum of y_bar r c
//               with g = gain y_bar                 shift_bar += sum of y_bar
//   jvp         y_dot = gain (r c_dot - r^3 (c.x_dot) c / D), c_dot = P x_dot
//   vjp_of_jvp  with g = gain delta, a = g.c_dot, b = c.x_dot, e = g.c:
//               x_bar = P (-(r^3/D) (a c + e c_dot + b g) + 3 (r^5/D^2) b e c)
//               gain_bar += sum of delta (r c_dot - r^3 b c / D)
#pragma once

#include "ebt/kernels/norm.h"
#include "ebt/layers/layer.h"

namespace ebt {

enum class NormKind { kRms, kLayer };

template <class T>
struct NormParams {
  // (G, D): rows of x come in G equal groups, each with a gain and a shift of its own. A vector
  // (D) is one for all.
  kernels::Matrix<const T> gain;
  T eps = 0;
  kernels::Matrix<const T> shift = {};  // like the gain, or absent
};
template <class T>
struct NormGrads {
  kernels::Matrix<T> gain, shift;  // as far apart as the gains
};
template <class T, class S>
struct NormSaved {
  Tensor<const S> x;
  // Memory that the caller provides to forward, (rows) each; no mean for kRms.
  Tensor<T> inverse_deviation, mean;
};

// T computes; x, y and their derivatives are stored as S.
template <class T, class S, NormKind kind>
struct Norm {
  using Scalar = T;
  using StreamCotangent = kernels::StreamCotangent<T, S>;
  using Params = NormParams<T>;
  using Grads = NormGrads<T>;
  using Saved = NormSaved<T, S>;

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

template <class T, class S = T>
using RmsNorm = Norm<T, S, NormKind::kRms>;
template <class T, class S = T>
using LayerNorm = Norm<T, S, NormKind::kLayer>;

}  // namespace ebt
