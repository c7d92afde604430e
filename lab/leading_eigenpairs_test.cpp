#include "lab/leading_eigenpairs.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "tests/support/error_text.h"
#include "tests/support/numeric.h"

namespace ebt {
namespace {

using testing::error_text;

// The path of N nodes, whose eigenvalues are 2 cos(pi k / (N + 1)).
SymmetricProduct path(int64_t size) {
  return [size](const double* x, double* y) {
    for (int64_t i = 0; i < size; ++i) {
      y[i] = (i > 0 ? x[i - 1] : 0) + (i + 1 < size ? x[i + 1] : 0);
    }
  };
}

SymmetricProduct diagonal(std::vector<double> values) {
  return [values = std::move(values)](const double* x, double* y) {
    for (size_t i = 0; i < values.size(); ++i) {
      y[i] = values[i] * x[i];
    }
  };
}

// Every pair must be one, and different ones orthogonal.
void expect_pairs(int64_t size, const SymmetricProduct& product, const Eigenpairs& pairs,
                  double tolerance) {
  const auto length = static_cast<size_t>(size);
  ASSERT_EQ(pairs.vectors.size(), pairs.values.size() * length);
  std::vector<double> image(length);
  for (size_t k = 0; k < pairs.values.size(); ++k) {
    const double* vector = pairs.vectors.data() + k * length;
    product(vector, image.data());
    double squares = 0;
    for (size_t i = 0; i < length; ++i) {
      squares += std::pow(image[i] - pairs.values[k] * vector[i], 2);
    }
    EXPECT_LT(std::sqrt(squares), tolerance) << k;
    for (size_t other = 0; other <= k; ++other) {
      double product_of_both = 0;
      for (size_t i = 0; i < length; ++i) {
        product_of_both += vector[i] * pairs.vectors[other * length + i];
      }
      EXPECT_NEAR(product_of_both, other == k ? 1 : 0, 1e-5) << k << " " << other;
    }
  }
}

TEST(LeadingEigenpairs, AreThoseOfAPath) {
  for (const int64_t size : {40, 300}) {  // solved whole, and by Lanczos
    const Eigenpairs pairs = leading_eigenpairs(size, path(size), 5, {});
    ASSERT_EQ(pairs.values.size(), 5U);
    for (size_t k = 0; k < 5; ++k) {
      const double angle =
          std::numbers::pi * static_cast<double>(k + 1) / static_cast<double>(size + 1);
      EXPECT_NEAR(pairs.values[k], 2 * std::cos(angle), 1e-6) << size << " " << k;
    }
    expect_pairs(size, path(size), pairs, 1e-5);
  }
}

// One Krylov space has a single vector of each eigenvalue, and these are found before rounding
// brings others in.
TEST(LeadingEigenpairs, FindEveryVectorOfAMultipleEigenvalue) {
  std::vector<double> values(500);
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = 0.1 * std::sin(static_cast<double>(i));
  }
  for (const size_t place : {7, 70, 170, 270}) {
    values[place] = 2;
  }
  values[0] = 3;
  values[100] = 1.5;
  values[200] = 1.2;
  values[300] = 1.2;
  values[400] = 1;
  const Eigenpairs pairs = leading_eigenpairs(500, diagonal(values), 7, {.tolerance = 1e-4});
  const std::vector<double> expected = {3, 2, 2, 2, 2, 1.5, 1.2};
  for (size_t k = 0; k < expected.size(); ++k) {
    EXPECT_NEAR(pairs.values[k], expected[k], 1e-4) << k;
  }
  expect_pairs(500, diagonal(values), pairs, 1e-3);
}

TEST(LeadingEigenpairs, MayBeNegative) {
  std::vector<double> values(200);
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = -1 - static_cast<double>(i);
  }
  const Eigenpairs pairs = leading_eigenpairs(200, diagonal(values), 2, {});
  EXPECT_NEAR(pairs.values[0], -1, 1e-5);
  EXPECT_NEAR(pairs.values[1], -2, 1e-5);
}

TEST(LeadingEigenpairs, DoNotDependOnThreads) {
  testing::expect_same_for_any_threads([&] {
    const Eigenpairs pairs = leading_eigenpairs(400, path(400), 6, {});
    return std::make_pair(pairs.values, pairs.vectors);
  });
}

TEST(LeadingEigenpairs, SayWhenTheyDoNotConverge) {
  const std::string text =
      error_text([] { leading_eigenpairs(5000, path(5000), 3, {.restarts = 1}); });
  EXPECT_EQ(text, "eigenvectors: Lanczos found 0 of 3 within 1 restarts");
}

}  // namespace
}  // namespace ebt
