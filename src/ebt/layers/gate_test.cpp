#include "ebt/layers/gate.h"

#include <gtest/gtest.h>

#include "tests/support/layer_contract.h"

namespace ebt::testing {
namespace {

// x (..., D), of any rank and without rows too.
std::vector<Shape> shapes() { return {{2, 3, 5}, {1, 1}, {0, 4}, {2, 0, 3}, {130, 3}, {3, 7, 33}}; }

struct GateCase : LayerCase {
  template <class T>
  using Layer = Gate<T>;
  Shape shape;

  explicit GateCase(Shape s) : shape(s) {}
  static std::vector<GateCase> all() {
    std::vector<GateCase> cases;
    for (const Shape& shape : shapes()) {
      cases.emplace_back(shape);
    }
    return cases;
  }
  Shape x_shape() const { return shape; }
  Shape y_shape() const { return shape; }
  int64_t width() const { return shape[shape.rank() - 1]; }
  std::vector<Shape> parameters() const { return {{width()}}; }
  template <class T>
  typename Gate<T>::Params params(const Tensors<const T>& theta) const {
    return {theta[0]};
  }
  template <class T>
  typename Gate<T>::Grads grads(const Tensors<T>& theta_bar) const {
    return {theta_bar[0]};
  }
  template <class S>
  Array<S> reference(const Array<S>& x, const Arrays<S>& theta) const {
    return reference::gate(x, theta[0]);
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Gate, LayerContract, GateCase);

TEST(Gate, NamesWhatDoesNotFit) {
  std::vector<double> values(12);
  const Tensor<const double> vector{values.data(), {3}};
  const Tensor<double> x{values.data(), {2, 4}};
  Gate<double>::Saved gate;
  EXPECT_EQ(error_text([&] { Gate<double>::forward({vector}, x, x, gate); }),
            "gate: x is (2,4) but the landscape vector has 3 entries");
}

}  // namespace
}  // namespace ebt::testing
