#include "ebt/layers/rotary.h"

#include <cmath>

#include "ebt/kernels/elementwise.h"
#include "ebt/kernels/rotary.h"

namespace ebt {
namespace {

template <class T>
kernels::RotaryAngles<T> angles(const RotaryParams<T>& params, int64_t heads) {
  return {heads, 2 * params.cosine.dim(1), params.cosine.dim(0), params.cosine.data,
          params.sine.data};
}

// Turns the first `thirds` thirds of every row.
template <class T, class S>
void rotate(const RotaryParams<T>& params, int64_t thirds, T direction, Tensor<S> x) {
  const int64_t positions = params.cosine.dim(0);
  const int64_t head_width = 2 * params.cosine.dim(1);
  const int64_t row = x.dim(x.shape.rank() - 1);
  EBT_CHECK(row == 3 * params.heads * head_width,
            "rotary: x is {} but {} heads of width {} need rows of {}", x.shape.to_string(),
            params.heads, head_width, 3 * params.heads * head_width);
  EBT_CHECK(positions == x.dim(x.shape.rank() - 2), "rotary: x is {} but there are {} positions",
            x.shape.to_string(), positions);
  if (x.count() == 0) {
    return;
  }
  // q and k are neighbours: together they are 2 H heads.
  kernels::rotary<T, S>().rotate(x.count() / row, angles(params, thirds * params.heads), row,
                                 direction, x.data);
}

}  // namespace

template <class T, class S>
void Rotary<T, S>::forward(const Params& params, Tensor<const S> x, Tensor<S> y, Saved& /*saved*/) {
  check_shape("rotary", "y", y.shape, x.shape);
  if (x.data != y.data) {
    kernels::elementwise<S>().copy(x.count(), x.data, y.data);
  }
  rotate(params, 2, T(1), y);
}

template <class T, class S>
void Rotary<T, S>::vjp(const Params& params, const Saved& /*saved*/, Tensor<const S> y_bar,
                       Tensor<S> x_bar, Write write, Grads* /*grads*/) {
  check_shape("rotary", "x_bar", x_bar.shape, y_bar.shape);
  if (write == Write::kReplace) {
    if (x_bar.data != y_bar.data) {
      kernels::elementwise<S>().copy(y_bar.count(), y_bar.data, x_bar.data);
    }
    rotate(params, 2, T(-1), x_bar);
    return;
  }
  std::vector<S> turned(y_bar.begin(), y_bar.end());
  rotate(params, 2, T(-1), Tensor<S>{turned.data(), x_bar.shape});
  kernels::elementwise<S>().add(x_bar.count(), static_cast<S>(T(1)), turned.data(), x_bar.data);
}

template <class T, class S>
void Rotary<T, S>::jvp(const Params& params, const Saved& /*saved*/, Tensor<const S> x_dot,
                       Tensor<S> y_dot) {
  Saved unused;
  forward(params, x_dot, y_dot, unused);
}

template <class T, class S>
void Rotary<T, S>::vjp_of_jvp(const Params& /*params*/, const Saved& /*saved*/,
                              Tensor<const S> x_dot, Tensor<const S> delta, Tensor<S> x_bar,
                              Write write, Grads* /*grads*/) {
  check_second_order("rotary", x_dot, delta, x_bar, x_dot.shape, x_dot.shape);
  if (write == Write::kReplace) {
    kernels::elementwise<S>().fill(x_bar.count(), static_cast<S>(T(0)), x_bar.data);
  }
}

template <class T, class S>
void Rotary<T, S>::vjp_apart(const Params& params, Tensor<const T> keys_bar, bool with_queries,
                             Tensor<S> x_bar) {
  const Shape sums{x_bar.dim(0), x_bar.dim(1), x_bar.dim(2) / 3 * 2};
  check_shape("rotary", "keys_bar", keys_bar.shape, sums);
  if (x_bar.count() == 0) {
    return;
  }
  if (with_queries) {
    rotate(params, 1, T(-1), x_bar);
  }
  kernels::rotary<T, S>().keys_vjp(x_bar.dim(0) * x_bar.dim(1), angles(params, params.heads),
                                   keys_bar.data, x_bar.data);
}

template <class T>
RotaryTable<T>::RotaryTable(int64_t count, int64_t head_width, double theta)
    : positions_(count),
      pairs_(head_width / 2),
      cosine_(static_cast<size_t>(count * pairs_)),
      sine_(cosine_.size()) {
  for (int64_t position = 0; position < count; ++position) {
    for (int64_t pair = 0; pair < pairs_; ++pair) {
      const double angle =
          static_cast<double>(position) *
          std::pow(theta, -static_cast<double>(2 * pair) / static_cast<double>(head_width));
      const auto at = static_cast<size_t>(position * pairs_ + pair);
      cosine_[at] = static_cast<T>(std::cos(angle));
      sine_[at] = static_cast<T>(std::sin(angle));
    }
  }
}

template <class T>
RotaryParams<T> RotaryTable<T>::stream(int64_t heads, int64_t first, int64_t count) const {
  EBT_CHECK(first >= 0 && first + count <= positions_,
            "rotary: positions {}..{} are beyond the {} prepared", first, first + count,
            positions_);
  return {heads,
          {cosine_.data() + first * pairs_, {count, pairs_}},
          {sine_.data() + first * pairs_, {count, pairs_}}};
}

template struct Rotary<float>;
template struct Rotary<double>;
template struct Rotary<float, Bfloat16>;
template class RotaryTable<float>;
template class RotaryTable<double>;

}  // namespace ebt
