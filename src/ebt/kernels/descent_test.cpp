#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "ebt/kernels/simplex_descent.h"
#include "ebt/kernels/vector_descent.h"
#include "tests/support/numeric.h"

namespace ebt::kernels {
namespace {

constexpr int64_t kRows = 19;
constexpr int64_t kWidth = 533;  // with kRows more than one thread does alone

struct Step {
  std::vector<double> x = testing::normal_draws(kRows * kWidth, 1);
  std::vector<double> g = testing::normal_draws(kRows * kWidth, 2);
  std::vector<double> bar = testing::normal_draws(kRows * kWidth, 3);
  std::vector<double> size = testing::normal_draws(kRows, 4);
  std::vector<double> bound = std::vector<double>(kRows, 0.8);
  std::vector<double> out = std::vector<double>(kRows * kWidth);

  size_t row(size_t i) const { return i / kWidth; }
  size_t count() const { return x.size(); }
};

TEST(SimplexDescent, ClampsTheGradientInPlace) {
  Step s;
  const std::vector<double> g = s.g;
  simplex_descent<double, double>().descend(kRows, kWidth, s.x.data(), s.size.data(),
                                            s.bound.data(), s.g.data(), s.out.data());
  for (size_t i = 0; i < s.count(); ++i) {
    ASSERT_EQ(s.g[i], std::clamp(g[i], -0.8, 0.8)) << "element " << i;
    ASSERT_NEAR(s.out[i], s.x[i] - s.size[s.row(i)] * s.g[i], 1e-15) << "element " << i;
  }
}

TEST(SimplexDescent, ClampedEntriesHaveNoCotangent) {
  Step s;
  const auto& run = simplex_descent<double, double>();
  run.descend(kRows, kWidth, s.x.data(), s.size.data(), s.bound.data(), s.g.data(), s.out.data());
  run.vjp(kRows, kWidth, s.bar.data(), s.size.data(), s.bound.data(), s.g.data(), s.out.data());
  for (size_t i = 0; i < s.count(); ++i) {
    const double expected = std::abs(s.g[i]) == 0.8 ? 0.0 : -s.size[s.row(i)] * s.bar[i];
    ASSERT_EQ(s.out[i], expected) << "element " << i;
  }
}

TEST(SimplexDescent, TheGradientOfTheStepIsThatOfADifference) {
  // The step is linear in its size where nothing is clamped, and the clamp's bound is given.
  for (const bool bounded : {false, true}) {
    Step s;
    const auto& run = simplex_descent<double, double>();
    const double* const bound = bounded ? s.bound.data() : nullptr;
    run.descend(kRows, kWidth, s.x.data(), s.size.data(), bound, s.g.data(), s.out.data());
    std::vector<double> found(kRows);
    run.step_gradient(kRows, kWidth, s.bar.data(), s.size.data(), bound, s.g.data(), found.data());
    for (size_t row = 0; row < kRows; ++row) {
      double expected = 0;
      for (size_t i = row * kWidth; i < (row + 1) * kWidth; ++i) {
        if (!bounded || std::abs(s.g[i]) < 0.8) {
          expected += s.size[row] * s.bar[i] * s.g[i];
        }
      }
      EXPECT_NEAR(found[row], expected, 1e-12) << "row " << row;
    }
  }
}

TEST(VectorDescent, MovesEveryRowByItsOwnStep) {
  Step s;
  const auto& run = vector_descent<double>();
  run.descend(kRows, kWidth, s.x.data(), s.size.data(), s.g.data(), s.out.data());
  for (size_t i = 0; i < s.count(); ++i) {
    ASSERT_EQ(s.out[i], s.x[i] - s.size[s.row(i)] * s.g[i]) << "element " << i;
  }
  run.descend(kRows, kWidth, s.x.data(), s.size.data(), s.g.data(), s.x.data());
  EXPECT_EQ(s.x, s.out) << "in place";
}

TEST(VectorDescent, CotangentsAreScaledByTheNegativeStep) {
  Step s;
  vector_descent<double>().vjp(kRows, kWidth, s.bar.data(), s.size.data(), s.out.data());
  for (size_t i = 0; i < s.count(); ++i) {
    ASSERT_EQ(s.out[i], -s.size[s.row(i)] * s.bar[i]) << "element " << i;
  }
}

}  // namespace
}  // namespace ebt::kernels
