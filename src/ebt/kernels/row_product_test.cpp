#include "ebt/kernels/row_product.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "ebt/kernels/isa.h"
#include "tests/support/error_text.h"
#include "tests/support/numeric.h"

namespace ebt::kernels {
namespace {

using testing::normal_draws;

template <class T>
std::vector<T> draws(int64_t count, uint32_t seed) {
  const std::vector<double> exact = normal_draws(count, seed);
  return {exact.begin(), exact.end()};
}

template <class T, class S>
struct Types {
  using Computed = T;
  using Stored = S;
};

template <class Pair>
class RowProduct : public ::testing::Test {
 protected:
  using T = typename Pair::Computed;
  using S = typename Pair::Stored;

  // Of one instruction set: the tests are run for each of them.
  static const RowProductKernels<T, S>& table() { return row_product<T, S>(); }
  static double stored(T x) { return static_cast<double>(static_cast<T>(static_cast<S>(x))); }
};
using Pairs = ::testing::Types<Types<float, float>, Types<float, Bfloat16>, Types<double, double>>;
TYPED_TEST_SUITE(RowProduct, Pairs);

struct Sizes {
  int64_t rows, depth, columns;
};

TYPED_TEST(RowProduct, EqualsTheSumsOfWhatIsStored) {
  using T = typename TypeParam::Computed;
  using S = typename TypeParam::Stored;
  const double bound = sizeof(T) == sizeof(double) ? 1e-13 : 1e-5;
  for (const auto& [rows, depth, columns] :
       {Sizes{1, 5, 3}, {2, 64, 64}, {7, 33, 130}, {13, 2, 65}, {60, 48, 200}}) {
    const std::vector<T> x = draws<T>(rows * depth, 1);
    const std::vector<T> m = draws<T>(depth * columns, 2);
    const std::vector<T> before = draws<T>(rows * columns, 3);
    const auto right = ColumnStrips<S>::of(Tensor<const T>{m.data(), {depth, columns}}, false);
    const auto& table = this->table();
    for (const bool add : {false, true}) {
      std::vector<T> y = before;
      table.multiply(rows, depth, columns, x.data(), right.data(), add, y.data());
      for (int64_t i = 0; i < rows * columns; ++i) {
        double sum = add ? static_cast<double>(before[static_cast<size_t>(i)]) : 0.0;
        double size = 1;
        for (int64_t k = 0; k < depth; ++k) {
          const double term = this->stored(x[static_cast<size_t>(i / columns * depth + k)]) *
                              this->stored(m[static_cast<size_t>(k * columns + i % columns)]);
          sum += term;
          size += std::abs(term);
        }
        ASSERT_NEAR(static_cast<double>(y[static_cast<size_t>(i)]), sum, bound * size)
            << rows << " rows, element " << i;
      }
    }
  }
}

TYPED_TEST(RowProduct, OfARowDoesNotDependOnTheRowsBesideIt) {
  using T = typename TypeParam::Computed;
  using S = typename TypeParam::Stored;
  constexpr int64_t kRows = 61;
  constexpr int64_t kDepth = 40;
  constexpr int64_t kColumns = 136;
  const std::vector<T> x = draws<T>(kRows * kDepth, 1);
  const std::vector<T> m = draws<T>(kDepth * kColumns, 2);
  const auto right = ColumnStrips<S>::of(Tensor<const T>{m.data(), {kDepth, kColumns}}, false);
  const auto& table = this->table();
  std::vector<T> together(kRows * kColumns);
  table.multiply(kRows, kDepth, kColumns, x.data(), right.data(), false, together.data());
  for (int64_t row = 0; row < kRows; ++row) {
    std::vector<T> alone(kColumns);
    table.multiply(1, kDepth, kColumns, x.data() + row * kDepth, right.data(), false, alone.data());
    ASSERT_TRUE(std::equal(alone.begin(), alone.end(), together.begin() + row * kColumns)) << row;
  }
}

TYPED_TEST(RowProduct, TakesAMatrixEitherWay) {
  using T = typename TypeParam::Computed;
  using S = typename TypeParam::Stored;
  const std::vector<T> m = draws<T>(7 * 70, 2);
  std::vector<T> turned(m.size());
  for (size_t i = 0; i < m.size(); ++i) {
    turned[i % 70 * 7 + i / 70] = m[i];
  }
  const auto straight = ColumnStrips<S>::of(Tensor<const T>{m.data(), {7, 70}}, false);
  const auto transposed = ColumnStrips<S>::of(Tensor<const T>{turned.data(), {70, 7}}, true);
  EXPECT_EQ(straight.bytes(), transposed.bytes());
  const std::vector<T> x = draws<T>(2 * 7, 3);
  std::vector<T> a(2 * 70), b(2 * 70);
  multiply_rows<T, S>({x.data(), {2, 7}}, straight, false, {a.data(), {2, 70}});
  multiply_rows<T, S>({x.data(), {2, 7}}, transposed, false, {b.data(), {2, 70}});
  EXPECT_EQ(a, b);
}

TEST(RowProductShapes, MustFit) {
  const std::vector<float> m(12, 1.0F);
  const auto right = ColumnStrips<float>::of(Tensor<const float>{m.data(), {3, 4}}, false);
  std::vector<float> y(8);
  EXPECT_EQ(testing::error_text([&] {
              multiply_rows<float, float>({m.data(), {2, 4}}, right, false, {y.data(), {2, 4}});
            }),
            "row product: x is (2,4) and y (2,4), but the matrix is (3,4)");
}

}  // namespace
}  // namespace ebt::kernels
