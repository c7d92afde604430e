// x sigmoid(x) and its derivative, for the few values that modulations are made from.
#pragma once

#include <cmath>

namespace ebt {

template <class T>
T silu(T x) {
  return x / (T(1) + std::exp(-x));
}
template <class T>
T silu_slope(T x) {
  const T gate = T(1) / (T(1) + std::exp(-x));
  return gate + x * gate * (T(1) - gate);
}

}  // namespace ebt
