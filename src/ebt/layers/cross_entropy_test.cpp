#include "ebt/layers/cross_entropy.h"

#include <gtest/gtest.h>

#include "tests/support/layer_contract.h"

namespace ebt::testing {
namespace {

struct CrossEntropyCase : LayerCase {
  template <class T>
  using Layer = CrossEntropy<T>;
  int64_t vocab;
  double smoothing;
  std::vector<int32_t> targets;  // every fifth is ignored

  CrossEntropyCase(int64_t rows, int64_t v, double s) : vocab(v), smoothing(s) {
    for (int64_t n = 0; n < rows; ++n) {
      targets.push_back(n % 5 == 3 ? -1 : static_cast<int32_t>(n * n % vocab));
    }
  }
  static std::vector<CrossEntropyCase> all() {
    return {{6, 7, 0.0}, {6, 7, 0.25}, {1, 1, 0.0}, {1, 2, 0.5}, {0, 3, 0.0}, {140, 19, 0.125}};
  }
  int64_t rows() const { return static_cast<int64_t>(targets.size()); }
  Shape x_shape() const { return {rows(), vocab}; }
  Shape y_shape() const { return {rows()}; }
  template <class Saved>
  void prepare(Arena& arena, Saved& saved) const {
    saved.p = arena.take<std::remove_reference_t<decltype(saved.p[0])>>(x_shape());
  }
  template <class T>
  typename CrossEntropy<T>::Params params(const Tensors<const T>& /*theta*/) const {
    return {{targets.data(), {rows()}}, static_cast<T>(smoothing)};
  }
  template <class T>
  typename CrossEntropy<T>::Grads grads(const Tensors<T>& /*theta_bar*/) const {
    return {};
  }
  template <class S>
  Array<S> reference(const Array<S>& x, const Arrays<S>& /*theta*/) const {
    return reference::cross_entropy(x, targets, smoothing);
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(CrossEntropy, LayerContract, CrossEntropyCase);

TEST(CrossEntropy, LossAndGradientAreForwardAndVjpInOneVisit) {
  const std::vector<int32_t> targets{3, -1, 0};
  const CrossEntropy<double>::Params params{{targets.data(), {3}}, 0.25};
  std::vector<double> x = normal_draws(12, 1);
  const Tensor<double> logits{x.data(), {3, 4}};
  std::vector<double> p(12);
  std::vector<double> y(3);
  CrossEntropy<double>::Saved saved{{p.data(), {3, 4}}};
  CrossEntropy<double>::forward(params, logits, {y.data(), {3}}, saved);
  const std::vector<double> y_bar(3, 0.5);
  std::vector<double> x_bar(12);
  CrossEntropy<double>::vjp(params, saved, {y_bar.data(), {3}}, {x_bar.data(), {3, 4}},
                            Write::kReplace, nullptr);

  std::vector<double> loss(3);
  CrossEntropy<double>::loss_and_gradient(params, logits, 0.5, {loss.data(), {3}}, {});
  EXPECT_LE(relative_error(loss, y), kDoubleBound);
  CrossEntropy<double>::loss_and_gradient(params, logits, 0.5, {loss.data(), {3}}, logits);
  EXPECT_LE(relative_error(loss, y), kDoubleBound);
  EXPECT_LE(relative_error(x, x_bar), kDoubleBound) << "in place of the logits";
}

TEST(CrossEntropy, NamesWhatDoesNotFit) {
  std::vector<double> x(12);
  const auto loss = [&](const std::vector<int32_t>& targets) {
    CrossEntropy<double>::loss_and_gradient(
        {{targets.data(), {static_cast<int64_t>(targets.size())}}, 0.0}, {x.data(), {3, 4}}, 1.0,
        {x.data(), {3}}, {});
  };
  EXPECT_EQ(error_text([&] {
              loss({0, 1});
            }),
            "cross-entropy: logits are (3,4) but there are 2 targets");
  EXPECT_EQ(error_text([&] {
              loss({0, 4, 1});
            }),
            "cross-entropy: target 4 is outside the vocabulary of 4");
}

}  // namespace
}  // namespace ebt::testing
