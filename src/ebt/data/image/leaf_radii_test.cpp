#include "ebt/data/image/leaf_radii.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

namespace ebt {
namespace {

constexpr double kHeight = 30;
constexpr double kWidth = 50;
constexpr double kLow = 1.5;
constexpr double kHigh = 40;

// The integral of r^-3 (height + 2 r) (width + 2 r) g(r) from `low` to `high`, by the midpoint
// rule.
template <class Function>
double integral(double low, double high, Function&& g) {
  constexpr int kSteps = 200'000;
  double sum = 0;
  for (int i = 0; i < kSteps; ++i) {
    const double r = low + (high - low) * (i + 0.5) / kSteps;
    sum += (kHeight + 2 * r) * (kWidth + 2 * r) / (r * r * r) * g(r);
  }
  return sum * (high - low) / kSteps;
}

double one(double) { return 1; }

TEST(LeafRadii, HaveTheDensityOfLeavesThatTouchTheImage) {
  const LeafRadii radii(kLow, kHigh, kHeight, kWidth);
  constexpr int kGrid = 1500;
  std::vector<double> limits = {1.6, 2, 3, 5, 10, 20, 30, 39};
  std::vector<double> below(limits.size());
  for (int i = 0; i < kGrid; ++i) {
    for (int j = 0; j < kGrid; ++j) {
      const double r = radii.at((i + 0.5) / kGrid, (j + 0.5) / kGrid);
      ASSERT_GE(r, kLow);
      ASSERT_LE(r, kHigh);
      for (size_t k = 0; k < limits.size(); ++k) {
        below[k] += r < limits[k] ? 1 : 0;
      }
    }
  }
  const double all = integral(kLow, kHigh, one);
  for (size_t k = 0; k < limits.size(); ++k) {
    EXPECT_NEAR(below[k] / kGrid / kGrid, integral(kLow, limits[k], one) / all, 0.002) << limits[k];
  }
}

// A leaf that touches the image covers a given point of it with probability
// pi r^2 / ((height + 2 r) (width + 2 r)).
TEST(LeafRadii, CoverAPointAsOftenAsIsAskedFor) {
  const LeafRadii radii(kLow, kHigh, kHeight, kWidth);
  const double chance =
      integral(kLow, kHigh,
               [](double r) {
                 return std::numbers::pi * r * r / ((kHeight + 2 * r) * (kWidth + 2 * r));
               }) /
      integral(kLow, kHigh, one);
  for (const double cover : {0.5, 6.0, 60.0}) {
    EXPECT_NEAR(static_cast<double>(radii.count(cover)) * chance, cover, chance + 1e-3 * cover);
  }
}

}  // namespace
}  // namespace ebt
