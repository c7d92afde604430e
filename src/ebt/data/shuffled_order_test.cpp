#include "ebt/data/shuffled_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace ebt {
namespace {

std::vector<int64_t> order_of(uint64_t seed, int64_t count, int64_t epoch) {
  const ShuffledOrder order(seed, count);
  std::vector<int64_t> numbers;
  for (int64_t place = 0; place < count; ++place) {
    numbers.push_back(order.at(epoch, place));
  }
  return numbers;
}

TEST(ShuffledOrder, HasEveryNumberOnce) {
  for (const int64_t count : {1, 2, 3, 4, 5, 16, 17, 63, 64, 65, 1000, 1024, 5000}) {
    std::vector<int64_t> numbers = order_of(7, count, 3);
    std::sort(numbers.begin(), numbers.end());
    std::vector<int64_t> expected(static_cast<size_t>(count));
    std::iota(expected.begin(), expected.end(), int64_t{0});
    EXPECT_EQ(numbers, expected) << count;
  }
}

TEST(ShuffledOrder, IsAnotherForEverySeedAndEpoch) {
  EXPECT_EQ(order_of(1, 100, 0), order_of(1, 100, 0));
  EXPECT_NE(order_of(1, 100, 0), order_of(2, 100, 0));
  EXPECT_NE(order_of(1, 100, 0), order_of(1, 100, 1));
}

// Every number at every place in one epoch of `count`, within five standard deviations.
TEST(ShuffledOrder, PrefersNoNumberAtAnyPlace) {
  constexpr int64_t kEpochs = 3000;
  for (const int64_t count : {2, 3, 5, 10}) {
    const ShuffledOrder order(11, count);
    std::vector<int64_t> times(static_cast<size_t>(count * count));
    for (int64_t epoch = 0; epoch < kEpochs; ++epoch) {
      for (int64_t place = 0; place < count; ++place) {
        ++times[static_cast<size_t>(place * count + order.at(epoch, place))];
      }
    }
    const double share = 1.0 / static_cast<double>(count);
    const double spread = std::sqrt(kEpochs * share * (1 - share));
    for (const int64_t n : times) {
      EXPECT_NEAR(static_cast<double>(n), kEpochs * share, 5 * spread) << count;
    }
  }
}

TEST(ShuffledOrder, IsFoundForMillions) {
  const ShuffledOrder order(5, int64_t{1} << 40U);
  for (int64_t place = 0; place < 100; ++place) {
    EXPECT_LT(order.at(9, place), int64_t{1} << 40U);
    EXPECT_GE(order.at(9, place), 0);
  }
}

}  // namespace
}  // namespace ebt
