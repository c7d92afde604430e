#include "ebt/layers/rotary.h"

#include <algorithm>
#include <cmath>

#include "ebt/kernels/elementwise.h"
#include "ebt/kernels/isa.h"

namespace ebt {
namespace {

template <class T>
void rotate(const typename Rotary<T>::Params& params, T direction, Tensor<T> x) {
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
  kernels::kernels<kernels::ElementwiseKernels<T>>().rotate(
      x.count() / row, 2 * params.heads, head_width, row, positions, params.cosine.data,
      params.sine.data, direction, x.data);
}

}  // namespace

template <class T>
void Rotary<T>::forward(const Params& params, Tensor<const T> x, Tensor<T> y, Saved& /*saved*/) {
  check_shape("rotary", "y", y.shape, x.shape);
  if (x.data != y.data) {
    std::copy(x.begin(), x.end(), y.begin());
  }
  rotate(params, T(1), y);
}

template <class T>
void Rotary<T>::vjp(const Params& params, const Saved& /*saved*/, Tensor<const T> y_bar,
                    Tensor<T> x_bar, Write write, Grads* /*grads*/) {
  check_shape("rotary", "x_bar", x_bar.shape, y_bar.shape);
  if (write == Write::kReplace) {
    if (x_bar.data != y_bar.data) {
      std::copy(y_bar.begin(), y_bar.end(), x_bar.begin());
    }
    rotate(params, T(-1), x_bar);
    return;
  }
  std::vector<T> turned(y_bar.begin(), y_bar.end());
  rotate(params, T(-1), Tensor<T>{turned.data(), x_bar.shape});
  for (int64_t i = 0; i < x_bar.count(); ++i) {
    x_bar[i] += turned[static_cast<size_t>(i)];
  }
}

template <class T>
void Rotary<T>::jvp(const Params& params, const Saved& /*saved*/, Tensor<const T> x_dot,
                    Tensor<T> y_dot) {
  Saved unused;
  forward(params, x_dot, y_dot, unused);
}

template <class T>
void Rotary<T>::vjp_of_jvp(const Params& /*params*/, const Saved& /*saved*/, Tensor<const T> x_dot,
                           Tensor<const T> delta, Tensor<T> x_bar, Write write, Grads* /*grads*/) {
  check_second_order("rotary", x_dot, delta, x_bar, x_dot.shape, x_dot.shape);
  if (write == Write::kReplace) {
    std::fill(x_bar.begin(), x_bar.end(), T(0));
  }
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
typename Rotary<T>::Params RotaryTable<T>::stream(int64_t heads, int64_t first,
                                                  int64_t count) const {
  EBT_CHECK(first >= 0 && first + count <= positions_,
            "rotary: positions {}..{} are beyond the {} prepared", first, first + count,
            positions_);
  return {heads,
          {cosine_.data() + first * pairs_, {count, pairs_}},
          {sine_.data() + first * pairs_, {count, pairs_}}};
}

template struct Rotary<float>;
template struct Rotary<double>;
template class RotaryTable<float>;
template class RotaryTable<double>;

}  // namespace ebt
