#include "ebt/dist/tree_sum.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <random>

#include "ebt/core/bfloat16.h"
#include "ebt/core/threads.h"
#include "ebt/dist/thread_group.h"
#include "tests/support/error_text.h"

namespace ebt {
namespace {

constexpr int64_t kGrains = 16;
// Not even one element for each rank, some, not divisible by ranks, and more than one piece.
constexpr int64_t kSizes[] = {1, 5, 1000, 16'411, (int64_t{2} << 20U) + 77};

// Values of sizes so different that another order of their sum is another sum.
template <class T>
std::vector<T> grain_of(int64_t grain, int64_t size) {
  std::mt19937 generator(static_cast<uint32_t>(1000 * grain + size));
  std::vector<T> values(static_cast<size_t>(size));
  for (T& value : values) {
    const auto bits = generator();
    value = std::ldexp(static_cast<T>(bits) - T(2147483648.0), static_cast<int>(bits % 23U));
  }
  return values;
}

// The tree as it is drawn.
template <class T>
std::vector<T> tree(int64_t first, int64_t count, int64_t size) {
  if (count == 1) {
    return grain_of<T>(first, size);
  }
  std::vector<T> sum = tree<T>(first, count / 2, size);
  const std::vector<T> right = tree<T>(first + count / 2, count / 2, size);
  for (size_t i = 0; i < sum.size(); ++i) {
    sum[i] = sum[i] + right[i];
  }
  return sum;
}

template <class T>
bool same_bytes(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

// Cut where choose_cuts finds it best between elements.
Shards shards_of(int64_t size, int ranks) {
  std::vector<int64_t> cuts(static_cast<size_t>(size) + 1);
  std::iota(cuts.begin(), cuts.end(), int64_t{0});
  return Shards(choose_cuts(cuts, ranks));
}

// What one of the ranks has of a sum over all grains before it is gathered.
template <class T>
std::vector<T> share_of_sum(Group& group, const Shards& shards, int64_t size) {
  const int64_t own_grains = kGrains / group.size();
  TreeSum<T> sum(size, own_grains);
  std::vector<T> values;
  for (int64_t grain = 0; grain < own_grains; ++grain) {
    values = grain_of<T>(group.rank() * own_grains + grain, size);
    sum.add(values.data());
  }
  sum_into_shards(group, shards, values.data());
  return values;
}

template <class T>
class TreeSums : public ::testing::Test {};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(TreeSums, Scalars);

TYPED_TEST(TreeSums, AreTheSameBytesForAnyNumberOfRanks) {
  using T = TypeParam;
  for (const int64_t size : kSizes) {
    const std::vector<T> expected = tree<T>(0, kGrains, size);
    for (const int ranks : {1, 2, 4, 8, 16}) {
      const Shards shards = shards_of(size, ranks);
      run_thread_ranks(ranks, [&](Group& group) {
        const OneThread one;
        std::vector<T> values = share_of_sum<T>(group, shards, size);
        gather_shards(group, shards, values.data());
        EXPECT_TRUE(same_bytes(values, expected))
            << size << " elements, rank " << group.rank() << " of " << ranks;
      });
    }
  }
}

TYPED_TEST(TreeSums, PassNumbersThatAreNotFiniteThrough) {
  using T = TypeParam;
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  constexpr int64_t kSize = 64;
  const Shards shards = shards_of(kSize, 8);
  run_thread_ranks(8, [&](Group& group) {
    const OneThread one;
    std::vector<T> values(kSize, T(1));
    const auto put = [&](int rank, size_t at, T value) {
      if (group.rank() == rank) {
        values[at] = value;
      }
    };
    put(5, 3, kInfinity);
    put(2, 20, -kInfinity);
    put(0, 41, std::numeric_limits<T>::quiet_NaN());
    put(1, 63, kInfinity);
    put(6, 63, -kInfinity);
    sum_into_shards(group, shards, values.data());
    gather_shards(group, shards, values.data());
    for (size_t i = 0; i < values.size(); ++i) {
      if (i == 41 || i == 63) {
        EXPECT_TRUE(std::isnan(values[i])) << i;
      } else {
        EXPECT_EQ(values[i], i == 3 ? kInfinity : i == 20 ? -kInfinity : T(8)) << i;
      }
    }
  });
}

TYPED_TEST(TreeSums, CostTwiceWhatIsNotInTheShard) {
  using T = TypeParam;
  for (const int64_t size : kSizes) {
    for (const int ranks : {1, 2, 4, 8}) {
      const Shards shards = shards_of(size, ranks);
      run_thread_ranks(ranks, [&](Group& group) {
        const OneThread one;
        const int64_t others = size - shards.of(group.rank()).count();
        const auto bytes = static_cast<int64_t>(sizeof(T)) * others;
        std::vector<T> values(static_cast<size_t>(size));
        sum_into_shards(group, shards, values.data());
        EXPECT_EQ(group.bytes_sent(), bytes);
        const int64_t received = group.bytes_received();
        gather_shards(group, shards, values.data());
        EXPECT_EQ(group.bytes_received() - received, bytes);
        // A ring sends as much: 2 (N - 1) / N of the vector.
        if (size % ranks == 0) {
          EXPECT_EQ(group.bytes_sent(),
                    2 * static_cast<int64_t>(sizeof(T)) * size / ranks * (ranks - 1));
        }
      });
    }
  }
}

TEST(ShardsInBf16, AreGatheredForHalfOfTheTraffic) {
  for (const int64_t size : kSizes) {
    const std::vector<float> values = tree<float>(0, 1, size);
    std::vector<float> expected;
    for (const float value : values) {
      expected.push_back(Bfloat16(value));
    }
    for (const int ranks : {1, 2, 8}) {
      const Shards shards = shards_of(size, ranks);
      run_thread_ranks(ranks, [&](Group& group) {
        const OneThread one;
        const ElementRange own = shards.of(group.rank());
        std::vector<float> gathered(static_cast<size_t>(size), -1.0F);
        std::copy(values.begin() + own.begin, values.begin() + own.end,
                  gathered.begin() + own.begin);
        gather_shards_in_bf16(group, shards, gathered.data());
        EXPECT_TRUE(same_bytes(gathered, expected)) << size << " elements, " << ranks << " ranks";
        EXPECT_EQ(group.bytes_received(), 2 * (size - own.count()));
      });
    }
  }
}

TEST(Shards, GiveRank0ARangeThatManyOfThemHave) {
  const std::vector<double> values = tree<double>(0, 1, 1000);
  const Shards shards = shards_of(1000, 8);
  run_thread_ranks(8, [&](Group& group) {
    const ElementRange own = shards.of(group.rank());
    for (const ElementRange range : {ElementRange{0, 1000}, {120, 130}, {3, 5}, {7, 7}}) {
      std::vector<double> received(static_cast<size_t>(range.count()));
      gather_range_at_rank_0(group, shards, values.data() + own.begin, range, received.data());
      if (group.rank() == 0) {
        EXPECT_TRUE(
            same_bytes(received, {values.begin() + range.begin, values.begin() + range.end}));
      }
    }
  });
}

TEST(TreeSum, BeginsAnewAfterTheLastSummandAndWhereItIsAskedTo) {
  TreeSum<double> sum(1, 4);
  double unfinished = 7;
  sum.add(&unfinished);
  sum.begin();
  for (int round = 0; round < 2; ++round) {
    double value = 0;
    for (int i = 0; i < 4; ++i) {
      value = i;
      sum.add(&value);
    }
    EXPECT_EQ(value, 6.0);
  }
}

TEST(TreeSum, RefusesNumbersThatAreNoPowersOfTwo) {
  for (const int64_t count : {0, 3, 12}) {
    EXPECT_EQ(testing::error_text([&] { TreeSum<float>(1, count); }),
              std::to_string(count) + " summands are not a power of two");
  }
  EXPECT_EQ(testing::error_text([] { Shards({0, 1, 2, 3}); }), "3 ranks are not a power of two");
  EXPECT_EQ(testing::error_text([] {
              float values[2] = {};
              sum_into_shards(lone_group(), Shards({0, 1, 2}), values);
            }),
            "2 shards are not for 1 ranks");
}

TEST(Shards, OfRanksThatDifferInABitLieInDifferentHalves) {
  const Shards shards({0, 10, 20, 30, 45});
  EXPECT_EQ(shards.of(0).begin, 0);
  EXPECT_EQ(shards.of(1).begin, 20);
  EXPECT_EQ(shards.of(2).begin, 10);
  EXPECT_EQ(shards.of(3).begin, 30);
  EXPECT_EQ(shards.of(3).end, 45);
  EXPECT_EQ(shards.after_halvings(3, 1).begin, 20);
  EXPECT_EQ(shards.after_halvings(3, 1).end, 45);
  EXPECT_EQ(shards.after_halvings(3, 0).count(), 45);
}

TEST(Shards, AreCutWhereItPartsThemBest) {
  EXPECT_EQ(choose_cuts({0, 10, 49, 52, 90, 100}, 2), (std::vector<int64_t>{0, 2, 5}));
  EXPECT_EQ(choose_cuts({0, 10, 45, 52, 90, 100}, 2), (std::vector<int64_t>{0, 3, 5}));
  // Fewer pieces than ranks: some get nothing.
  EXPECT_EQ(choose_cuts({0, 7}, 4), (std::vector<int64_t>{0, 0, 1, 1, 1}));
}

}  // namespace
}  // namespace ebt
