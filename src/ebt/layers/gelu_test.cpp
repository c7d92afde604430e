#include "ebt/layers/gelu.h"

#include <gtest/gtest.h>

#include "tests/support/layer_contract.h"

namespace ebt::testing {
namespace {

struct GeluCase : LayerCase {
  template <class T>
  using Layer = Gelu<T>;
  Shape shape;

  explicit GeluCase(Shape s) : shape(s) {}
  static std::vector<GeluCase> all() {
    return {GeluCase({2, 3, 5}), GeluCase({1, 1}),   GeluCase({0, 4}),
            GeluCase({2, 0, 3}), GeluCase({130, 1}), GeluCase({3, 5, 37})};
  }
  Shape x_shape() const { return shape; }
  Shape y_shape() const { return shape; }
  template <class T>
  typename Gelu<T>::Params params(const Tensors<const T>& /*theta*/) const {
    return {};
  }
  template <class T>
  typename Gelu<T>::Grads grads(const Tensors<T>& /*theta_bar*/) const {
    return {};
  }
  template <class S>
  Array<S> reference(const Array<S>& x, const Arrays<S>& /*theta*/) const {
    return reference::gelu(x);
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Gelu, LayerContract, GeluCase);

TEST(Gelu, IsTheTanhForm) {
  const std::vector<double> x{-3.0, -0.5, 0.0, 0.7, 2.0};
  std::vector<double> y(x.size());
  Gelu<double>::Saved saved;
  Gelu<double>::forward({}, {x.data(), {5}}, {y.data(), {5}}, saved);
  for (size_t i = 0; i < x.size(); ++i) {
    const double u = std::sqrt(2.0 / M_PI) * (x[i] + 0.044715 * x[i] * x[i] * x[i]);
    EXPECT_NEAR(y[i], 0.5 * x[i] * (1.0 + std::tanh(u)), 1e-15);
  }
}

TEST(Gelu, LargeInputsSaturate) {
  const std::vector<float> x{-1000.0F, 1000.0F};
  std::vector<float> y(2);
  Gelu<float>::Saved saved;
  Gelu<float>::forward({}, {x.data(), {2}}, {y.data(), {2}}, saved);
  EXPECT_NEAR(y[0], 0.0F, 1e-30F);
  EXPECT_EQ(y[1], 1000.0F);
}

TEST(Gelu, NamesWhatDoesNotFit) {
  std::vector<double> values(12);
  Gelu<double>::Saved saved;
  EXPECT_EQ(error_text([&] {
              Gelu<double>::forward({}, {values.data(), {2, 6}}, {values.data(), {2, 2}}, saved);
            }),
            "gelu: y is (2,2) but should be (2,6)");
}

}  // namespace
}  // namespace ebt::testing
