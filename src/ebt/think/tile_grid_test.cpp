#include "ebt/think/tile_grid.h"

#include <gtest/gtest.h>

#include "tests/support/error_text.h"

namespace ebt {
namespace {

using testing::error_text;

TEST(AxisTiles, CoverEveryPixelWithWeightsThatSumToOne) {
  for (const int64_t patch : {1, 4}) {
    for (const int64_t tile : {4 * patch, 7 * patch}) {
      for (int64_t overlap = 0; overlap < tile - patch + 1; ++overlap) {
        for (int64_t length = 1; length < 6 * tile; length += 5) {
          const AxisTiles axis = tile_axis(length, tile, patch, overlap);
          std::vector<double> sums(static_cast<size_t>(axis.covered));
          for (int64_t i = 0; i < axis.count(); ++i) {
            const int64_t start = axis.starts[static_cast<size_t>(i)];
            ASSERT_EQ(start % patch, 0);
            if (i > 0) {
              ASSERT_GE(axis.starts[static_cast<size_t>(i - 1)] + tile - start, overlap);
            }
            for (int64_t pixel = 0; pixel < tile; ++pixel) {
              ASSERT_GT(axis.weights_of(i)[pixel], 0);
              sums[static_cast<size_t>(start + pixel)] +=
                  static_cast<double>(axis.weights_of(i)[pixel]);
            }
          }
          ASSERT_GE(axis.covered, length);
          ASSERT_LT(axis.covered, std::max(length + patch, tile + 1));
          for (const double sum : sums) {
            ASSERT_NEAR(sum, 1, 3e-7)
                << length << " pixels in tiles of " << tile << " by " << overlap;
          }
        }
      }
    }
  }
}

TEST(AxisTiles, AreTheFewestThatOverlapEnough) {
  const auto starts = [](int64_t length, int64_t overlap) {
    return tile_axis(length, 32, 4, overlap).starts;
  };
  using Starts = std::vector<int64_t>;
  EXPECT_EQ(starts(32, 8), (Starts{0}));
  EXPECT_EQ(starts(20, 8), (Starts{0})) << "shorter than a tile";
  EXPECT_EQ(starts(33, 8), (Starts{0, 4})) << "rounded up to a patch";
  EXPECT_EQ(starts(56, 8), (Starts{0, 24}));
  EXPECT_EQ(starts(57, 8), (Starts{0, 12, 28})) << "evenly spread";
  EXPECT_EQ(starts(64, 0), (Starts{0, 32}));
  EXPECT_EQ(starts(64, 5), (Starts{0, 16, 32})) << "5 pixels are two patches";
  EXPECT_EQ(tile_axis(57, 32, 4, 8).covered, 60);
}

TEST(AxisTiles, OfASingleTileCountExactlyOne) {
  const AxisTiles axis = tile_axis(30, 32, 4, 8);
  for (int64_t pixel = 0; pixel < 32; ++pixel) {
    EXPECT_EQ(axis.weights_of(0)[pixel], 1.0F);
  }
}

TEST(AxisTiles, FadeSmoothlyWhereTheyOverlap) {
  const AxisTiles axis = tile_axis(56, 32, 4, 8);  // pixels 24..31 are shared
  const float* first = axis.weights_of(0);
  const float* second = axis.weights_of(1);
  EXPECT_EQ(first[23], 1.0F);
  EXPECT_EQ(second[8], 1.0F);
  for (int64_t i = 0; i < 8; ++i) {
    EXPECT_LT(first[24 + i], first[23 + i]);
    EXPECT_NEAR(first[24 + i], second[7 - i], 1e-6) << "the same both ways";
  }
  EXPECT_NEAR(first[24], 1, 0.02);
  EXPECT_NEAR(first[31], 0, 0.02);
  const std::vector<float> patches = axis.patch_weights();
  ASSERT_EQ(patches.size(), 16U);
  EXPECT_EQ(patches[0], 1.0F);
  EXPECT_NEAR(patches[6] + patches[8], 1, 1e-6);
  EXPECT_NEAR(patches[6], (first[24] + first[25] + first[26] + first[27]) / 4, 1e-6);
}

TEST(AxisTiles, RefuseAnOverlapThatLeavesNothing) {
  EXPECT_EQ(error_text([] { tile_axis(100, 32, 4, 29); }),
            "an overlap of 29 pixels leaves a tile of 32 no whole patch (4) of its own");
  EXPECT_EQ(tile_axis(100, 32, 4, 28).count(), 18);
  EXPECT_EQ(tile_axis(32, 32, 4, 40).count(), 1) << "nothing overlaps";
  EXPECT_EQ(error_text([] { tile_axis(100, 30, 4, 2); }),
            "tiles: 100 pixels in tiles of 30 with patches of 4 that overlap by 2");
}

TEST(Reflected, TurnsAtTheBordersWithoutDoublingThem) {
  std::vector<int64_t> places;
  for (int64_t index = -5; index < 9; ++index) {
    places.push_back(reflected(index, 4));
  }
  EXPECT_EQ(places, (std::vector<int64_t>{1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2}));
  EXPECT_EQ(reflected(17, 1), 0);
  EXPECT_EQ(reflected(-17, 1), 0);
}

}  // namespace
}  // namespace ebt
