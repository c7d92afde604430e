#include "ebt/layers/linear.h"

#include <gtest/gtest.h>

#include "tests/support/layer_contract.h"

namespace ebt::testing {
namespace {

struct LinearCase : LayerCase {
  template <class T>
  using Layer = Linear<T>;
  Shape x;
  int64_t out;
  bool bias;

  LinearCase(Shape x_, int64_t out_, bool bias_) : x(x_), out(out_), bias(bias_) {}
  static std::vector<LinearCase> all() {
    return {{{2, 3, 5}, 4, true}, {{7, 6}, 1, false},       {{1, 1}, 1, true},
            {{0, 3}, 4, true},    {{2, 0, 3}, 2, false},    {{3, 17}, 19, false},
            {{300, 5}, 3, true},  {{2, 70, 33}, 65, false}, {{40, 8}, 150, true}};
  }
  int64_t in() const { return x[x.rank() - 1]; }
  Shape x_shape() const { return x; }
  Shape y_shape() const { return x.rank() == 2 ? Shape{x[0], out} : Shape{x[0], x[1], out}; }
  std::vector<Shape> parameters() const {
    return bias ? std::vector<Shape>{{out, in()}, {out}} : std::vector<Shape>{{out, in()}};
  }
  template <class T>
  typename Linear<T>::Params params(const Tensors<const T>& theta) const {
    return {theta[0], bias ? theta[1] : Tensor<const T>{}};
  }
  template <class T>
  typename Linear<T>::Grads grads(const Tensors<T>& theta_bar) const {
    return {theta_bar[0], bias ? theta_bar[1] : Tensor<T>{}};
  }
  template <class S>
  Array<S> reference(const Array<S>& input, const Arrays<S>& theta) const {
    return reference::linear(input, theta[0], bias ? &theta[1] : nullptr);
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Linear, LayerContract, LinearCase);

TEST(Linear, AddsToAResidualStream) {
  const std::vector<double> x = normal_draws(6, 1);
  const std::vector<double> weight = normal_draws(8, 2);
  const std::vector<double> stream = normal_draws(12, 3);
  const Linear<double>::Params params{Tensor<const double>{weight.data(), {4, 2}}, {}};
  const Tensor<const double> input{x.data(), {3, 2}};
  const auto output = [](std::vector<double>& values) {
    return Tensor<double>{values.data(), {3, 4}};
  };
  Linear<double>::Saved saved;
  std::vector<double> product(12);
  Linear<double>::forward(params, input, output(product), saved);
  std::vector<double> sum = stream;
  std::vector<double> sum_dot = stream;
  Linear<double>::forward(params, input, output(sum), saved, Write::kAdd);
  Linear<double>::jvp(params, saved, input, output(sum_dot), Write::kAdd);
  for (size_t i = 0; i < sum.size(); ++i) {
    EXPECT_NEAR(sum[i], stream[i] + product[i], 1e-15);
    EXPECT_EQ(sum_dot[i], sum[i]);
  }
}

}  // namespace
}  // namespace ebt::testing
