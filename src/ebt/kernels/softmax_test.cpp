// What the layers' tests do not reach: logits of any size. The derivatives are proved there.
#include "ebt/kernels/softmax.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "ebt/kernels/isa.h"
#include "tests/support/numeric.h"

namespace ebt::kernels {
namespace {

template <class T>
class Softmax : public ::testing::Test {
 protected:
  static std::vector<T> softmax(const std::vector<T>& z) {
    std::vector<T> p(z.size());
    kernels::softmax<T, T>().forward(1, static_cast<int64_t>(z.size()), z.data(), p.data());
    return p;
  }
  // The loss of one row, and its gradient scaled by 2.
  static T cross_entropy(const std::vector<T>& z, int32_t target, T smoothing,
                         std::vector<T>* gradient = nullptr) {
    T loss;
    kernels::cross_entropy<T>().loss_and_gradient(1, static_cast<int64_t>(z.size()), z.data(),
                                                  &target, smoothing, T(2), &loss,
                                                  gradient == nullptr ? nullptr : gradient->data());
    return loss;
  }
};
using Precisions = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Softmax, Precisions);

TYPED_TEST(Softmax, HugeLogitsDoNotOverflow) {
  using T = TypeParam;
  const std::vector<T> p = this->softmax({T(1e30), T(1e30), T(-1e30), T(0)});
  EXPECT_EQ(p, (std::vector<T>{T(0.5), T(0.5), T(0), T(0)}));
}

TYPED_TEST(Softmax, OnlyDifferencesOfLogitsMatter) {
  using T = TypeParam;
  const std::vector<T> small = this->softmax({T(0.5), T(-1), T(2)});
  const std::vector<T> large = this->softmax({T(4096.5), T(4095), T(4098)});
  EXPECT_EQ(small, large);
  T total = 0;
  for (const T share : small) {
    total += share;
  }
  EXPECT_NEAR(static_cast<double>(total), 1.0, 1e-6);
}

TYPED_TEST(Softmax, ALogitThatIsNotANumberSpoilsItsRow) {
  using T = TypeParam;
  for (const T share : this->softmax({T(0), std::numeric_limits<T>::quiet_NaN(), T(1)})) {
    EXPECT_TRUE(std::isnan(share));
  }
}

TYPED_TEST(Softmax, CrossEntropyOfHugeLogitsIsExact) {
  using T = TypeParam;
  EXPECT_EQ(this->cross_entropy({T(1e6), T(0), T(0)}, 0, T(0)), T(0));
  EXPECT_EQ(this->cross_entropy({T(1e6), T(0), T(0)}, 1, T(0)), T(1e6));
  EXPECT_NEAR(static_cast<double>(this->cross_entropy({T(-1e6), T(-1e6)}, 1, T(0))), std::log(2.0),
              0.1);
}

TYPED_TEST(Softmax, CrossEntropyGradientMayReplaceItsLogits) {
  using T = TypeParam;
  std::vector<T> z{T(0.3), T(-1.2), T(2), T(0)};
  std::vector<T> apart(4);
  const T loss = this->cross_entropy(z, 2, T(0.1), &apart);
  EXPECT_EQ(this->cross_entropy(z, 2, T(0.1), &z), loss);
  EXPECT_EQ(z, apart);
}

TYPED_TEST(Softmax, IgnoredTargetsHaveNeitherLossNorGradient) {
  using T = TypeParam;
  std::vector<T> gradient(3, T(5));
  EXPECT_EQ(this->cross_entropy({T(1), T(2), T(3)}, -1, T(0.1), &gradient), T(0));
  EXPECT_EQ(gradient, std::vector<T>(3, T(0)));
}

}  // namespace
}  // namespace ebt::kernels
