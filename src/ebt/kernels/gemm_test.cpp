#include "ebt/kernels/gemm.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/support/error_text.h"
#include "tests/support/numeric.h"

namespace ebt::kernels {
namespace {

using testing::error_text;

enum class Product { kNt, kNn, kTn };

// A matrix inside a wider one, whose other columns must not be touched.
template <class T>
struct Stored {
  static constexpr int64_t kBefore = 2;
  static constexpr int64_t kAfter = 3;
  int64_t rows, columns;
  std::vector<T> values;

  Stored(int64_t r, int64_t c, uint32_t seed) : rows(r), columns(c) {
    for (const double value : testing::normal_draws(rows * stride(), seed)) {
      values.push_back(static_cast<T>(value));
    }
  }
  int64_t stride() const { return kBefore + columns + kAfter; }
  T& at(int64_t i, int64_t j) { return values[static_cast<size_t>(i * stride() + kBefore + j)]; }
  T at(int64_t i, int64_t j) const {
    return values[static_cast<size_t>(i * stride() + kBefore + j)];
  }
  Matrix<T> matrix() {
    return Matrix<T>(values.data(), rows, stride(), stride()).columns_from(kBefore, columns);
  }
};

template <class T>
struct Problem {
  Product product;
  Stored<T> a, b, c;

  Problem(Product p, int64_t m, int64_t n, int64_t k)
      : product(p),
        a(p == Product::kTn ? k : m, p == Product::kTn ? m : k, 1),
        b(p == Product::kNt ? n : k, p == Product::kNt ? k : n, 2),
        c(m, n, 3) {}

  void run(Write write) { run(write, c.rows); }
  // The first `rows` rows of it alone; of all but a^T b.
  void run(Write write, int64_t rows) {
    const Matrix<const T> left = a.matrix();
    const Matrix<const T> right = b.matrix();
    if (product == Product::kNt) {
      multiply_nt<T>(left.rows_from(0, rows), right, c.matrix().rows_from(0, rows), write);
    } else if (product == Product::kNn) {
      multiply_nn<T>(left.rows_from(0, rows), right, c.matrix().rows_from(0, rows), write);
    } else {
      multiply_tn<T, T>(left, right, c.matrix(), write);
    }
  }
  // All of c's memory as it must be afterwards.
  std::vector<double> expected(Write write) const {
    Stored<double> result(c.rows, c.columns, 3);
    const int64_t depth = product == Product::kTn ? a.rows : a.columns;
    for (int64_t i = 0; i < c.rows; ++i) {
      for (int64_t j = 0; j < c.columns; ++j) {
        double sum = write == Write::kAdd ? result.at(i, j) : 0.0;
        for (int64_t k = 0; k < depth; ++k) {
          sum += static_cast<double>(product == Product::kTn ? a.at(k, i) : a.at(i, k)) *
                 static_cast<double>(product == Product::kNt ? b.at(j, k) : b.at(k, j));
        }
        result.at(i, j) = sum;
      }
    }
    return result.values;
  }
};

template <class T>
class Gemm : public ::testing::Test {
 protected:
  // Calls body(product, m, n, k) for sizes around those of tiles and of blocks of rows.
  template <class Body>
  static void for_products(Body&& body) {
    struct Size {
      int64_t m, n, k;
    };
    for (const Product product : {Product::kNt, Product::kNn, Product::kTn}) {
      for (const Size size : {Size{1, 1, 1}, Size{2, 3, 5}, Size{7, 17, 4}, Size{13, 33, 9},
                              Size{65, 64, 3}, Size{129, 67, 31}, Size{300, 5, 130}}) {
        SCOPED_TRACE("product " + std::to_string(static_cast<int>(product)) + " of " +
                     std::to_string(size.m) + ", " + std::to_string(size.n) + ", " +
                     std::to_string(size.k));
        body(product, size.m, size.n, size.k);
      }
    }
  }
};
using Precisions = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Gemm, Precisions);

TYPED_TEST(Gemm, ReplacesOrAddsTheProductAndTouchesNothingElse) {
  const double bound = std::is_same_v<TypeParam, float> ? 1e-6 : 1e-15;
  this->for_products([&](Product product, int64_t m, int64_t n, int64_t k) {
    for (const Write write : {Write::kReplace, Write::kAdd}) {
      Problem<TypeParam> problem(product, m, n, k);
      const std::vector<double> expected = problem.expected(write);
      if (write == Write::kReplace) {
        for (int64_t i = 0; i < m * n; ++i) {
          problem.c.at(i / n, i % n) = std::numeric_limits<TypeParam>::quiet_NaN();
        }
      }
      problem.run(write);
      EXPECT_LE(testing::relative_error(problem.c.values, expected), bound);
      for (int64_t i = 0; i < m; ++i) {
        for (const int64_t outside : {int64_t{-2}, int64_t{-1}, n, n + 1, n + 2}) {
          EXPECT_EQ(static_cast<double>(problem.c.at(i, outside)),
                    expected[static_cast<size_t>(i * problem.c.stride() + 2 + outside)]);
        }
      }
    }
  });
}

TYPED_TEST(Gemm, AnEmptySumIsZero) {
  for (const Product product : {Product::kNt, Product::kNn, Product::kTn}) {
    for (const Write write : {Write::kReplace, Write::kAdd}) {
      Problem<TypeParam> problem(product, 3, 4, 0);
      problem.run(write);
      EXPECT_EQ(testing::in_double(problem.c.values), problem.expected(write));
    }
  }
}

TYPED_TEST(Gemm, TakesMatricesWithoutRowsOrColumns) {
  for (const Product product : {Product::kNt, Product::kNn, Product::kTn}) {
    Problem<TypeParam>(product, 0, 4, 3).run(Write::kReplace);
    Problem<TypeParam>(product, 4, 0, 3).run(Write::kReplace);
  }
}

TYPED_TEST(Gemm, ResultsDoNotDependOnTheNumberOfThreads) {
  const auto check = [](Product product, int64_t m, int64_t n, int64_t k) {
    testing::expect_same_for_any_threads([&] {
      Problem<TypeParam> problem(product, m, n, k);
      problem.run(Write::kAdd);
      return problem.c.values;
    });
  };
  this->for_products(check);
  // So large that oneDNN would split the blocks.
  for (const Product product : {Product::kNt, Product::kNn, Product::kTn}) {
    check(product, 260, 320, 256);
  }
}

TYPED_TEST(Gemm, ARowsResultDoesNotDependOnHowManyOthersThereAre) {
  constexpr int64_t kRows = 180;
  for (const Product product : {Product::kNt, Product::kNn}) {
    for (const auto& [n, k] :
         {std::pair<int64_t, int64_t>{64, 64}, {6, 64}, {64, 6}, {1, 64}, {96, 512}}) {
      Problem<TypeParam> all(product, kRows, n, k);
      all.run(Write::kAdd);
      for (const int64_t rows : {1, 2, 12, 15, 16, 32, 36, 128, 129, 140, 144, 160}) {
        Problem<TypeParam> some(product, kRows, n, k);
        some.run(Write::kAdd, rows);
        for (int64_t i = 0; i < rows; ++i) {
          for (int64_t j = 0; j < n; ++j) {
            ASSERT_EQ(some.c.at(i, j), all.c.at(i, j))
                << rows << " rows, n " << n << ", k " << k << ", row " << i;
          }
        }
      }
    }
  }
}

TYPED_TEST(Gemm, PrintsTheShapesThatDoNotFit) {
  std::vector<TypeParam> values(100);
  const auto matrix = [&](int64_t rows, int64_t columns) {
    return Matrix<TypeParam>(values.data(), rows, columns, columns);
  };
  EXPECT_EQ(error_text([&] {
              multiply_nt<TypeParam>(matrix(2, 3), matrix(4, 5), matrix(2, 4), Write::kReplace);
            }),
            "gemm: (2,3) times (5,4) does not give (2,4)");
  EXPECT_EQ(error_text([&] {
              multiply_nn<TypeParam>(matrix(2, 3), matrix(3, 4), matrix(2, 5), Write::kReplace);
            }),
            "gemm: (2,3) times (3,4) does not give (2,5)");
  EXPECT_EQ(error_text([&] {
              multiply_tn<TypeParam, TypeParam>(matrix(3, 2), matrix(3, 4), matrix(3, 4),
                                                Write::kReplace);
            }),
            "gemm: (2,3) times (3,4) does not give (3,4)");
}

TEST(GemmObserver, HearsOfEveryProductWhileItIsSet) {
  std::vector<GemmShape> heard;
  set_gemm_observer([&](const GemmShape& shape) { heard.push_back(shape); });
  Problem<float>(Product::kTn, 4, 5, 6).run(Write::kReplace);
  Problem<float>(Product::kNt, 0, 5, 6).run(Write::kReplace);
  set_gemm_observer({});
  Problem<float>(Product::kNn, 1, 2, 3).run(Write::kReplace);
  ASSERT_EQ(heard.size(), 1U);
  EXPECT_TRUE(heard[0].transpose_a);
  EXPECT_FALSE(heard[0].transpose_b);
  EXPECT_EQ(heard[0].m, 4);
  EXPECT_EQ(heard[0].n, 5);
  EXPECT_EQ(heard[0].k, 6);
}

}  // namespace
}  // namespace ebt::kernels
