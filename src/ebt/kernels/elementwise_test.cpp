#include "ebt/kernels/elementwise.h"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "tests/support/numeric.h"

namespace ebt::kernels {
namespace {

// Around the widths of vectors, and beyond what one thread does alone.
constexpr int64_t kCounts[] = {0, 1, 7, 16, 33, 20'001};

template <class T>
class Elementwise : public ::testing::Test {};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Elementwise, Scalars);

// Runs an operation on x and y of every count, and expects that it leaves expected(x[i], y[i]) in
// y, bit for bit: this file is compiled without fused multiplications.
template <class T>
void expect_elements(const std::function<void(int64_t, const T*, T*)>& run,
                     const std::function<T(T, T)>& expected) {
  for (const int64_t count : kCounts) {
    const std::vector<double> drawn_x = testing::normal_draws(count, 1);
    const std::vector<double> drawn_y = testing::normal_draws(count, 2);
    const std::vector<T> x(drawn_x.begin(), drawn_x.end());
    std::vector<T> y(drawn_y.begin(), drawn_y.end());
    std::vector<T> wanted;
    for (size_t i = 0; i < y.size(); ++i) {
      wanted.push_back(expected(x[i], y[i]));
    }
    run(count, x.data(), y.data());
    EXPECT_EQ(y, wanted) << count << " elements";
  }
}

TYPED_TEST(Elementwise, OperationsRoundAfterEveryMultiplicationAndAddition) {
  using T = TypeParam;
  const ElementwiseKernels<T>& run = elementwise<T>();
  const T a = T(0.3);
  const T b = T(-1.7);
  expect_elements<T>([&](int64_t n, const T* x, T* y) { run.copy(n, x, y); },
                     [](T x, T) { return x; });
  expect_elements<T>([&](int64_t n, const T*, T* y) { run.fill(n, a, y); },
                     [&](T, T) { return a; });
  expect_elements<T>([&](int64_t n, const T*, T* y) { run.scale(n, b, y); },
                     [&](T, T y) { return b * y; });
  expect_elements<T>([&](int64_t n, const T*, T* y) { run.affine(n, a, b, y); },
                     [&](T, T y) { return a + b * y; });
  expect_elements<T>([&](int64_t n, const T* x, T* y) { run.add(n, b, x, y); },
                     [&](T x, T y) { return y + b * x; });
  expect_elements<T>([&](int64_t n, const T* x, T* y) { run.axpby(n, a, x, b, y); },
                     [&](T x, T y) { return a * x + b * y; });
}

}  // namespace
}  // namespace ebt::kernels
