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

TEST(SwigluGate, NamesWhatDoesNotFit) {
  std::vector<double> values(12);
  SwigluGate<double>::Saved saved;
  EXPECT_EQ(
      error_text([&] {
        SwigluGate<double>::forward({}, {values.data(), {2, 6}}, {values.data(), {2, 2}}, saved);
      }),
      "swiglu: x is (2,6) but y is (2,2)");
}

TEST(SwigluGate, LargeInputsSaturate) {
  const std::vector<float> x{-1000.0F, 1000.0F, 2.0F, 2.0F};  // a, then b
  std::vector<float> y(2);
  SwigluGate<float>::Saved saved;
  SwigluGate<float>::forward({}, {x.data(), {1, 4}}, {y.data(), {1, 2}}, saved);
  EXPECT_NEAR(y[0], 0.0F, 1e-30F);
  EXPECT_EQ(y[1], 2000.0F);
}

}  // namespace
}  // namespace ebt::testing
