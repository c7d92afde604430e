#include "ebt/layers/rms_norm.h"

#include <gtest/gtest.h>

#include "tests/support/layer_contract.h"

namespace ebt::testing {
namespace {

struct RmsNormCase : LayerCase {
  template <class T>
  using Layer = RmsNorm<T>;
  Shape shape;
  double eps;
  bool shifted;

  RmsNormCase(Shape s, double e, bool shift) : shape(s), eps(e), shifted(shift) {}
  static std::vector<RmsNormCase> all() {
    return {{{2, 3, 5}, 1e-5, false}, {{1, 1}, 1e-2, true},     {{4, 1, 7}, 0.5, false},
            {{0, 6}, 1e-5, true},     {{3, 0, 4}, 1e-5, false}, {{130, 3}, 1.0, true},
            {{2, 9, 33}, 1e-5, true}, {{3, 65}, 1e-2, false},   {{2, 128}, 0.5, true}};
  }
  Shape x_shape() const { return shape; }
  Shape y_shape() const { return shape; }
  std::vector<Shape> parameters() const {
    const Shape width{shape[shape.rank() - 1]};
    return shifted ? std::vector<Shape>{width, width} : std::vector<Shape>{width};
  }
  template <class Saved>
  void prepare(Arena& arena, Saved& saved) const {
    const int64_t rows = shape.count() / shape[shape.rank() - 1];
    saved.inverse_rms = arena.take<std::remove_reference_t<decltype(saved.inverse_rms[0])>>({rows});
  }
  template <class T>
  typename RmsNorm<T>::Params params(const Tensors<const T>& theta) const {
    return {theta[0], static_cast<T>(eps), shifted ? theta[1] : Tensor<const T>{}};
  }
  template <class T>
  typename RmsNorm<T>::Grads grads(const Tensors<T>& theta_bar) const {
    return {theta_bar[0], shifted ? theta_bar[1] : Tensor<T>{}};
  }
  template <class S>
  Array<S> reference(const Array<S>& x, const Arrays<S>& theta) const {
    const Array<S> y = reference::rms_norm(x, theta[0], eps);
    return shifted ? reference::modulation(y, theta[1], Array<S>(theta[1].shape)) : y;
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(RmsNorm, LayerContract, RmsNormCase);

TEST(RmsNorm, NamesWhatDoesNotFit) {
  std::vector<double> values(12, 1.0);
  RmsNorm<double>::Saved saved;
  const auto forward = [&](Shape x, Shape y) {
    RmsNorm<double>::forward({{values.data(), {3}}, 1e-5, {}}, {values.data(), x},
                             {values.data(), y}, saved);
  };
  EXPECT_EQ(error_text([&] {
              forward({2, 4}, {2, 4});
            }),
            "rms_norm: x is (2,4) but the weight has 3 entries");
  EXPECT_EQ(error_text([&] {
              forward({2, 3}, {3, 3});
            }),
            "rms_norm: y is (3,3) but should be (2,3)");
}

}  // namespace
}  // namespace ebt::testing
