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

// The angles of a stream.
template <class T>
struct RotaryParams {
  int64_t heads = 0;
  Tensor<const T> cosine;  // (S, d / 2): angles of position p, p + 1, ...
  Tensor<const T> sine;
};

// T computes; everything is stored as S.
template <class T, class S = T>
struct Rotary {
  using Scalar = T;
  using Params = RotaryParams<T>;
  struct Grads {};
  struct Saved {};

  static void forward(const Params& params, Tensor<const S> x, Tensor<S> y, Saved& saved);
  static void vjp(const Params& params, const Saved& saved, Tensor<const S> y_bar, Tensor<S> x_bar,
                  Write write, Grads* grads);
  static void jvp(const Params& params, const Saved& saved, Tensor<const S> x_dot, Tensor<S> y_dot);
  static void vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const S> x_dot,
                         Tensor<const S> delta, Tensor<S> x_bar, Write write, Grads* grads);
  // vjp of the k and v thirds of x_bar alone, from sums (B, S, 2 D) of the cotangents of rotated
  // keys and of values; then that of the q third, in place.
  static void vjp_apart(const Params& params, Tensor<const T> keys_bar, bool with_queries,
                        Tensor<S> x_bar);
};

// The angles of positions 0 .. count - 1.
template <class T>
class RotaryTable {
 public:
  RotaryTable(int64_t count, int64_t head_width, double theta);
  // Parameters for a stream whose first of `count` tokens stands at position `first`.
  RotaryParams<T> stream(int64_t heads, int64_t first, int64_t count) const;

 private:
  int64_t positions_;
  int64_t pairs_;
  std::vector<T> cosine_;
  std::vector<T> sine_;
};

}  // namespace ebt
