#include "ebt/layers/norm.h"

#include <gtest/gtest.h>

#include "tests/support/layer_contract.h"

namespace ebt::testing {
namespace {

// A value for every row of x.
template <class T>
void take_rows(Arena& arena, Shape x, Tensor<T>& values) {
  values = arena.take<T>({x.count() / x[x.rank() - 1]});
}

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
    take_rows(arena, shape, saved.inverse_deviation);
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

struct LayerNormCase : LayerCase {
  template <class T>
  using Layer = LayerNorm<T>;
  Shape shape;
  double eps;
  int64_t groups;
  bool shifted;

  LayerNormCase(Shape s, double e, int64_t g, bool shift)
      : shape(s), eps(e), groups(g), shifted(shift) {}
  static std::vector<LayerNormCase> all() {
    return {{{2, 3, 5}, 1e-6, 1, true},  {{1, 1}, 1e-2, 1, true},    {{4, 1, 7}, 0.5, 4, false},
            {{0, 6}, 1e-6, 1, true},     {{6, 0, 4}, 1e-6, 3, true}, {{130, 3}, 1.0, 2, true},
            {{2, 9, 33}, 1e-6, 2, true}, {{3, 65}, 1e-2, 3, false},  {{2, 128}, 0.5, 1, true}};
  }
  Shape x_shape() const { return shape; }
  Shape y_shape() const { return shape; }
  std::vector<Shape> parameters() const {
    const Shape vectors{groups, shape[shape.rank() - 1]};
    return shifted ? std::vector<Shape>{vectors, vectors} : std::vector<Shape>{vectors};
  }
  template <class Saved>
  void prepare(Arena& arena, Saved& saved) const {
    take_rows(arena, shape, saved.inverse_deviation);
    take_rows(arena, shape, saved.mean);
  }
  template <class T>
  typename LayerNorm<T>::Params params(const Tensors<const T>& theta) const {
    return {theta[0], static_cast<T>(eps), shifted ? theta[1] : Tensor<const T>{}};
  }
  template <class T>
  typename LayerNorm<T>::Grads grads(const Tensors<T>& theta_bar) const {
    return {theta_bar[0], shifted ? theta_bar[1] : Tensor<T>{}};
  }
  template <class S>
  Array<S> reference(const Array<S>& x, const Arrays<S>& theta) const {
    return reference::layer_norm(x, theta[0], shifted ? &theta[1] : nullptr, eps);
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(LayerNorm, LayerContract, LayerNormCase);

// Groups whose vectors lie apart, as parts of longer rows do.
TEST(LayerNorm, ReadsVectorsThatLieApart) {
  const std::vector<double> x = {1, 2, 4, 8};
  const std::vector<double> vectors = {2, 3, 10, 20, -1, -1, 5, 7, 30, 40, -1, -1};
  std::vector<double> y(4);
  std::vector<double> memory(4);
  LayerNorm<double>::Saved saved{{}, {memory.data(), {2}}, {memory.data() + 2, {2}}};
  const kernels::Matrix<const double> rows(vectors.data(), 2, 6, 6);
  LayerNorm<double>::forward({rows.columns_from(0, 2), 0, rows.columns_from(2, 2)},
                             {x.data(), {2, 2}}, {y.data(), {2, 2}}, saved);
  EXPECT_EQ(y, (std::vector<double>{-2 + 10, 3 + 20, -5 + 30, 7 + 40}));
}

TEST(LayerNorm, NamesWhatDoesNotFit) {
  std::vector<double> values(12, 1.0);
  LayerNorm<double>::Saved saved{{}, {values.data(), {3}}, {values.data(), {3}}};
  EXPECT_EQ(error_text([&] {
              LayerNorm<double>::forward({Tensor<const double>{values.data(), {2, 4}}, 1e-6, {}},
                                         {values.data(), {3, 4}}, {values.data(), {3, 4}}, saved);
            }),
            "layer_norm: 3 rows are not 2 equal groups");
}

TEST(RmsNorm, NamesWhatDoesNotFit) {
  std::vector<double> values(12, 1.0);
  RmsNorm<double>::Saved saved;
  const auto forward = [&](Shape x, Shape y) {
    RmsNorm<double>::forward({Tensor<const double>{values.data(), {3}}, 1e-5, {}},
                             {values.data(), x}, {values.data(), y}, saved);
  };
  EXPECT_EQ(error_text([&] {
              forward({2, 4}, {2, 4});
            }),
            "rms_norm: x is (2,4) but the gain has 3 entries");
  EXPECT_EQ(error_text([&] {
              forward({2, 3}, {3, 3});
            }),
            "rms_norm: y is (3,3) but should be (2,3)");
}

}  // namespace
}  // namespace ebt::testing
