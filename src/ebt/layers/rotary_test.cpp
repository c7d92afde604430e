#include "ebt/layers/rotary.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/support/layer_contract.h"

namespace ebt::testing {
namespace {

constexpr double kTheta = 50.0;

struct RotaryCase : LayerCase {
  template <class T>
  using Layer = Rotary<T>;
  int64_t batch, tokens, heads, head_width, first;
  BothPrecisions<RotaryTable> table;

  RotaryCase(int64_t b, int64_t s, int64_t h, int64_t d, int64_t position)
      : batch(b),
        tokens(s),
        heads(h),
        head_width(d),
        first(position),
        table(b + s + 8, d, kTheta) {}
  static std::vector<RotaryCase> all() {
    return {{2, 3, 2, 4, 0}, {1, 1, 1, 2, 0}, {1, 5, 3, 2, 7},
            {2, 0, 2, 4, 1}, {0, 3, 2, 4, 0}, {3, 40, 1, 6, 2}};
  }
  Shape x_shape() const { return {batch, tokens, 3 * heads * head_width}; }
  Shape y_shape() const { return x_shape(); }
  template <class T>
  typename Rotary<T>::Params params(const Tensors<const T>& /*theta*/) const {
    return table.in<T>().stream(heads, first, tokens);
  }
  template <class T>
  typename Rotary<T>::Grads grads(const Tensors<T>& /*theta_bar*/) const {
    return {};
  }
  template <class S>
  Array<S> reference(const Array<S>& x, const Arrays<S>& /*theta*/) const {
    return reference::rotary(x, heads, first, kTheta);
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Rotary, LayerContract, RotaryCase);

TEST(Rotary, WorksInPlace) {
  const RotaryTable<double> table(4, 2, kTheta);
  const auto params = table.stream(1, 1, 3);
  std::vector<double> x(18);
  std::iota(x.begin(), x.end(), 1.0);
  std::vector<double> y(x.size());
  std::vector<double> turned = x;
  Rotary<double>::Saved saved;
  const Shape shape{1, 3, 6};
  const Tensor<double> view{turned.data(), shape};
  Rotary<double>::forward(params, {x.data(), shape}, {y.data(), shape}, saved);
  Rotary<double>::forward(params, view, view, saved);
  EXPECT_EQ(turned, y);
  Rotary<double>::vjp(params, saved, view, view, Write::kReplace, nullptr);
  EXPECT_LE(relative_error(turned, x), kDoubleBound);
}

TEST(Rotary, NamesWhatDoesNotFit) {
  const RotaryTable<double> table(4, 2, kTheta);
  EXPECT_EQ(error_text([&] { table.stream(1, 2, 3); }),
            "rotary: positions 2..5 are beyond the 4 prepared");
  std::vector<double> x(24);
  const auto rotate = [&](Shape shape) {
    Rotary<double>::Saved saved;
    const Tensor<double> view{x.data(), shape};
    Rotary<double>::forward(table.stream(1, 0, 3), view, view, saved);
  };
  EXPECT_EQ(error_text([&] {
              rotate({1, 3, 8});
            }),
            "rotary: x is (1,3,8) but 1 heads of width 2 need rows of 6");
  EXPECT_EQ(error_text([&] {
              rotate({1, 4, 6});
            }),
            "rotary: x is (1,4,6) but there are 3 positions");
}

}  // namespace
}  // namespace ebt::testing
