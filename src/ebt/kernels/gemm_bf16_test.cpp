#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "ebt/kernels/gemm.h"
#include "tests/support/error_text.h"
#include "tests/support/numeric.h"

namespace ebt::kernels {
namespace {

using testing::error_text;

// A matrix of bf16 values inside a wider one.
struct Stored {
  static constexpr int64_t kAround = 3;
  int64_t rows, columns;
  std::vector<Bfloat16> values;

  Stored(int64_t r, int64_t c, uint32_t seed) : rows(r), columns(c) {
    for (const double value : testing::normal_draws(rows * stride(), seed)) {
      values.push_back(Bfloat16(static_cast<float>(value)));
    }
  }
  int64_t stride() const { return columns + 2 * kAround; }
  double at(int64_t i, int64_t j) const {
    return static_cast<double>(
        static_cast<float>(values[static_cast<size_t>(i * stride() + kAround + j)]));
  }
  Matrix<const Bfloat16> matrix() const {
    return Matrix<const Bfloat16>(values.data(), rows, stride(), stride())
        .columns_from(kAround, columns);
  }
};

// Weights (out, in) and their packed copies.
struct Weights {
  std::vector<float> values;
  Tensor<const float> tensor;
  PackedMatrix transposed, straight;

  Weights(int64_t out, int64_t in, uint32_t seed) : transposed(in, out), straight(out, in) {
    for (const double value : testing::normal_draws(out * in, seed)) {
      values.push_back(static_cast<float>(value));
    }
    tensor = {values.data(), {out, in}};
    transposed.pack(tensor, true);
    straight.pack(tensor, false);
  }
  WeightMatrix<float, Bfloat16> view() const { return {tensor, &transposed, &straight}; }
  double at(int64_t i, int64_t j) const {
    return static_cast<double>(
        static_cast<float>(Bfloat16(values[static_cast<size_t>(i * tensor.dim(1) + j)])));
  }
};

struct Size {
  int64_t m, n, k;
};
const std::vector<Size> kSizes = {{1, 1, 1},     {1, 5, 3},      {3, 64, 2},     {17, 33, 65},
                                  {128, 48, 16}, {129, 257, 31}, {300, 16, 128}, {64, 7, 200}};

// Sums are float: the error of k products of size one, added in any order.
double sum_bound(int64_t k) { return 4e-7 * static_cast<double>(k + 4) * 4; }
constexpr double kRounding = 1.0 / 256;  // of a result to bf16

// Runs multiply(c, write) on every way of writing, and compares with `exact(i, j)`.
template <class Multiply, class Exact>
void check(int64_t m, int64_t n, int64_t k, Multiply&& multiply, Exact&& exact, bool rounded_too) {
  std::vector<float> sums(static_cast<size_t>(m * n), 0.5F);
  for (const Write write : {Write::kReplace, Write::kAdd}) {
    multiply(Matrix<float>(sums.data(), m, n, n), write);
    for (int64_t i = 0; i < m * n; ++i) {
      const double times = write == Write::kAdd ? 2.0 : 1.0;
      ASSERT_NEAR(static_cast<double>(sums[static_cast<size_t>(i)]), times * exact(i / n, i % n),
                  2 * sum_bound(k))
          << m << "," << n << "," << k << " at " << i;
    }
  }
  if constexpr (requires(Matrix<Bfloat16> c) { multiply(c, Write::kReplace); }) {
    ASSERT_TRUE(rounded_too);
    std::vector<Bfloat16> rounded(static_cast<size_t>(m * n));
    multiply(Matrix<Bfloat16>(rounded.data(), m, n, n), Write::kReplace);
    for (int64_t i = 0; i < m * n; ++i) {
      const double want = exact(i / n, i % n);
      ASSERT_NEAR(static_cast<double>(static_cast<float>(rounded[static_cast<size_t>(i)])), want,
                  sum_bound(k) + kRounding * std::abs(want));
    }
  }
}

TEST(GemmBf16, MultipliesByPackedWeightsEitherWay) {
  for (const auto [m, n, k] : kSizes) {
    const Stored x(m, k, 1);
    const Weights out_in(n, k, 2);
    check(
        m, n, k, [&](auto c, Write write) { multiply_nt(x.matrix(), out_in.view(), c, write); },
        [&](int64_t i, int64_t j) {
          double sum = 0;
          for (int64_t l = 0; l < x.columns; ++l) {
            sum += x.at(i, l) * out_in.at(j, l);
          }
          return sum;
        },
        true);
    const Weights in_out(k, n, 3);
    check(
        m, n, k, [&](auto c, Write write) { multiply_nn(x.matrix(), in_out.view(), c, write); },
        [&](int64_t i, int64_t j) {
          double sum = 0;
          for (int64_t l = 0; l < x.columns; ++l) {
            sum += x.at(i, l) * in_out.at(l, j);
          }
          return sum;
        },
        true);
  }
}

TEST(GemmBf16, MultipliesTransposedFactors) {
  for (const auto [m, n, k] : kSizes) {
    const Stored a(k, m, 1);
    const Stored b(k, n, 2);
    check(
        m, n, k,
        [&](Matrix<float> c, Write write) { multiply_tn(a.matrix(), b.matrix(), c, write); },
        [&](int64_t i, int64_t j) {
          double sum = 0;
          for (int64_t l = 0; l < a.rows; ++l) {
            sum += a.at(l, i) * b.at(l, j);
          }
          return sum;
        },
        false);
  }
}

template <class C>
void expect_rows_of_their_own() {
  constexpr int64_t kRows = 180;
  for (const auto& [n, k] : {std::pair<int64_t, int64_t>{64, 64}, {6, 64}, {16, 128}, {192, 64}}) {
    const Stored x(kRows, k, 1);
    const Weights weights(n, k, 2);
    const auto product = [&](int64_t rows) {
      std::vector<C> c(static_cast<size_t>(rows * n));
      multiply_nt(x.matrix().rows_from(0, rows), weights.view(), Matrix<C>(c.data(), rows, n, n),
                  Write::kReplace);
      return c;
    };
    const std::vector<C> all = product(kRows);
    for (const int64_t rows : {1, 2, 4, 12, 16, 32, 36, 128, 129, 140, 144, 160}) {
      const std::vector<C> some = product(rows);
      for (size_t i = 0; i < some.size(); ++i) {
        ASSERT_EQ(static_cast<float>(some[i]), static_cast<float>(all[i]))
            << rows << " rows, n " << n << ", k " << k << ", element " << i;
      }
    }
  }
}

TEST(GemmBf16, ARowsResultDoesNotDependOnHowManyOthersThereAre) {
  expect_rows_of_their_own<float>();
  expect_rows_of_their_own<Bfloat16>();
}

TEST(GemmBf16, IsTheSameForAnyNumberOfThreads) {
  const Stored x(517, 256, 1);
  const Stored y(517, 320, 2);
  testing::expect_same_for_any_threads([&] {
    const Weights weights(320, 256, 3);
    std::vector<float> c(517 * 320 + 320 * 256);
    multiply_nt(x.matrix(), weights.view(), Matrix<float>(c.data(), 517, 320, 320),
                Write::kReplace);
    multiply_tn(y.matrix(), x.matrix(), Matrix<float>(c.data() + 517 * 320, 320, 256, 256),
                Write::kReplace);
    return c;
  });
}

TEST(GemmBf16, RefusesFactorsThatDoNotFit) {
  const Stored x(4, 6, 1);
  const Weights weights(5, 7, 2);
  std::vector<float> c(20);
  EXPECT_EQ(error_text([&] {
              multiply_nt(x.matrix(), weights.view(), Matrix<float>(c.data(), 4, 5, 5),
                          Write::kReplace);
            }),
            "gemm: (4,6) times (7,5) does not give (4,5)");
}

}  // namespace
}  // namespace ebt::kernels
