#include "ebt/layers/swiglu.h"

#include <gtest/gtest.h>

#include "tests/support/layer_contract.h"

namespace ebt::testing {
namespace {

struct SwigluCase : LayerCase {
  template <class T>
  using Layer = SwigluGate<T>;
  Shape y;

  explicit SwigluCase(Shape shape) : y(shape) {}
  static std::vector<SwigluCase> all() {
    return {SwigluCase({2, 3, 5}), SwigluCase({1, 1}),   SwigluCase({0, 4}),
            SwigluCase({2, 0, 3}), SwigluCase({130, 1}), SwigluCase({3, 5, 37})};
  }
  Shape x_shape() const {
    return y.rank() == 2 ? Shape{y[0], 2 * y[1]} : Shape{y[0], y[1], 2 * y[2]};
  }
  Shape y_shape() const { return y; }
  template <class T>
  typename SwigluGate<T>::Params params(const Tensors<const T>& /*theta*/) const {
    return {};
  }
  template <class T>
  typename SwigluGate<T>::Grads grads(const Tensors<T>& /*theta_bar*/) const {
    return {};
  }
  template <class S>
  Array<S> reference(const Array<S>& x, const Arrays<S>& /*theta*/) const {
    return reference::swiglu_gate(x);
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(SwigluGate, LayerContract, SwigluCase);

}  // namespace
}  // namespace ebt::testing
