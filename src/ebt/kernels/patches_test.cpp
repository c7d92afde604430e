#include "ebt/kernels/patches.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/numeric.h"

namespace ebt::kernels {
namespace {

// More values than one thread moves alone.
PatchGrid grid_of(bool channels_last) { return {5, 3, 24, 40, 4, channels_last}; }

// The place in the patches of a pixel of an image.
int64_t place(const PatchGrid& grid, int64_t image, int64_t channel, int64_t y, int64_t x) {
  const int64_t patch =
      (image * grid.height / grid.patch + y / grid.patch) * grid.columns() + x / grid.patch;
  const int64_t row = y % grid.patch;
  const int64_t column = x % grid.patch;
  return patch * grid.patch_size() + (grid.channels_last
                                          ? (row * grid.patch + column) * grid.channels + channel
                                          : (channel * grid.patch + row) * grid.patch + column);
}

TEST(Patches, HoldTheirPixelsInEitherOrder) {
  for (const bool channels_last : {false, true}) {
    const PatchGrid grid = grid_of(channels_last);
    const int64_t count = grid.images * grid.channels * grid.height * grid.width;
    const std::vector<double> images = testing::normal_draws(count, 1);
    std::vector<double> cut(images.size());
    patches<double>().gather(grid, images.data(), cut.data());
    size_t pixel = 0;
    for (int64_t image = 0; image < grid.images; ++image) {
      for (int64_t channel = 0; channel < grid.channels; ++channel) {
        for (int64_t y = 0; y < grid.height; ++y) {
          for (int64_t x = 0; x < grid.width; ++x) {
            ASSERT_EQ(cut[static_cast<size_t>(place(grid, image, channel, y, x))], images[pixel++])
                << "channel " << channel << ", row " << y << ", column " << x;
          }
        }
      }
    }
  }
}

TEST(Patches, ScatterReplacesOrAdds) {
  for (const bool channels_last : {false, true}) {
    const PatchGrid grid = grid_of(channels_last);
    const int64_t count = grid.images * grid.channels * grid.height * grid.width;
    const std::vector<double> images = testing::normal_draws(count, 1);
    std::vector<double> cut(images.size());
    patches<double>().gather(grid, images.data(), cut.data());
    std::vector<double> back = testing::normal_draws(count, 2);
    patches<double>().scatter(grid, cut.data(), false, back.data());
    EXPECT_EQ(back, images);
    patches<double>().scatter(grid, cut.data(), true, back.data());
    for (size_t i = 0; i < back.size(); ++i) {
      ASSERT_EQ(back[i], 2 * images[i]) << "pixel " << i;
    }
  }
}

}  // namespace
}  // namespace ebt::kernels
