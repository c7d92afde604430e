#include "ebt/layers/gate.h"

#include <gtest/gtest.h>

#include "tests/support/layer_contract.h"

namespace ebt::testing {
namespace {

struct GateCase : LayerCase {
  template <class T>
  using Layer = Gate<T>;
  Shape shape;
  int64_t groups;

  explicit GateCase(Shape s, int64_t g) : shape(s), groups(g) {}
  // x (..., D), of any rank and without rows too.
  static std::vector<GateCase> all() {
    return {GateCase({2, 3, 5}, 1), GateCase({1, 1}, 1),     GateCase({0, 4}, 1),
            GateCase({2, 0, 3}, 2), GateCase({130, 3}, 1),   GateCase({3, 7, 33}, 3),
            GateCase({4, 65}, 2),   GateCase({6, 1, 200}, 3)};
  }
  Shape x_shape() const { return shape; }
  Shape y_shape() const { return shape; }
  int64_t width() const { return shape[shape.rank() - 1]; }
  std::vector<Shape> parameters() const { return {{groups, width()}}; }
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
            "gate: x is (2,4) but the gate has 3 entries");
}

}  // namespace
}  // namespace ebt::testing
