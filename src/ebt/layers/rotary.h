// Rotary positions (Su et al., 2021): in every head of q and k, the pair (2i, 2i+1) is turned by
// position * theta^(-2i/d). Linear and orthogonal, so each rule is a rotation R or its inverse.
//
//   forward     y = R x          vjp         x_bar = R^-1 y_bar
//   jvp         y_dot = R x_dot  vjp_of_jvp  x_bar = 0
//
// x (B, S, 3 D) holds q, k and v of every token; v passes unchanged. y may be x, x_bar may be
// y_bar: in place, only q and k are touched.
#pragma once

#include <vector>

#include "ebt/layers/layer.h"

namespace ebt {

template <class T>
struct Rotary {
  using Scalar = T;
  struct Params {
    int64_t heads = 0;
    Tensor<const T> cosine;  // (S, d / 2): angles of position p, p + 1, ...
    Tensor<const T> sine;
  };
  struct Grads {};
  struct Saved {};

  static void forward(const Params& params, Tensor<const T> x, Tensor<T> y, Saved& saved);
  static void vjp(const Params& params, const Saved& saved, Tensor<const T> y_bar, Tensor<T> x_bar,
                  Write write, Grads* grads);
  static void jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot, Tensor<T> y_dot);
  static void vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot,
                         Tensor<const T> delta, Tensor<T> x_bar, Write write, Grads* grads);
};

// The angles of positions 0 .. count - 1.
template <class T>
class RotaryTable {
 public:
  RotaryTable(int64_t count, int64_t head_width, double theta);
  // Parameters for a stream whose first of `count` tokens stands at position `first`.
  typename Rotary<T>::Params stream(int64_t heads, int64_t first, int64_t count) const;

 private:
  int64_t positions_;
  int64_t pairs_;
  std::vector<T> cosine_;
  std::vector<T> sine_;
};

}  // namespace ebt
