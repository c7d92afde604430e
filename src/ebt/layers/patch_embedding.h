// Images as tokens: every patch of P x P pixels through one linear layer, plus a fixed encoding of
// where it lies (Dosovitskiy et al., 2021; Peebles and Xie, 2023). With U the matrix of patches,
// channel by channel and row by row of a patch:
//
//   forward     y     = U(x) W^T + b + positions
//   vjp         x_bar = U^T(y_bar W)     W_bar += y_bar^T U(x)     b_bar += sum of y_bar
//   jvp         y_dot = U(x_dot) W^T
//   vjp_of_jvp  x_bar = 0                W_bar += delta^T U(x_dot)
//
// Patches do not overlap, so U only moves values about.
#pragma once

#include "ebt/core/arena.h"
#include "ebt/layers/layer.h"

namespace ebt {

template <class T>
struct PatchEmbedding {
  using Scalar = T;
  struct Params {
    int64_t patch = 0;          // P
    Tensor<const T> weight;     // (D, C, P, P)
    Tensor<const T> bias;       // (D)
    Tensor<const T> positions;  // (T, D), patches row by row
  };
  struct Grads {
    Tensor<T> weight, bias;
  };
  // Memory that the caller provides, (B T, C P P) each: patches of x, of x_dot, and of x_bar.
  struct Saved {
    Tensor<T> patches, patches_dot, patches_bar;
  };
  static Saved take(Arena& arena, int64_t patches, int64_t patch_size);

  // x (B, C, H, W), y (B, T, D).
  static void forward(const Params& params, Tensor<const T> x, Tensor<T> y, Saved& saved);
  // x_bar may be absent.
  static void vjp(const Params& params, const Saved& saved, Tensor<const T> y_bar, Tensor<T> x_bar,
                  Write write, Grads* grads);
  static void jvp(const Params& params, Saved& saved, Tensor<const T> x_dot, Tensor<T> y_dot);
  // x_bar may be absent. Uses what jvp recorded of x_dot.
  static void vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot,
                         Tensor<const T> delta, Tensor<T> x_bar, Write write, Grads* grads);
};

// positions (rows * columns, D): the first half of the channels encodes the column, the second the
// row, each as sines and then cosines of D / 4 frequencies from 1 down to 1 / 10000. Values are
// rounded to float32, as the published implementation stores them. D is a multiple of 4.
template <class T>
void image_positions(int64_t rows, int64_t columns, Tensor<T> positions);

}  // namespace ebt
