#include "ebt/report/energy_map.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/support/error_text.h"

namespace ebt {
namespace {

Image grey_image(int64_t height, int64_t width) {
  return {height, width, 1, std::vector<uint8_t>(static_cast<size_t>(height * width), 128)};
}

int brightness(const Image& image, int64_t y, int64_t x) {
  const auto at = static_cast<size_t>(3 * (y * image.width + x));
  return image.pixels[at] + image.pixels[at + 1] + image.pixels[at + 2];
}

TEST(EnergyMap, IsBrighterWhereEnergyIsHigher) {
  PatchMap map{2, 3, 4, {1, 2, 3, 4, 5, 6}};
  const Image drawn = energy_map_image(grey_image(8, 12), map);
  ASSERT_EQ(drawn.channels, 3);
  ASSERT_EQ(drawn.pixels.size(), static_cast<size_t>(3 * drawn.height * drawn.width));
  constexpr int64_t kTimes = 22;  // 12 pixels enlarged to at least 256
  EXPECT_EQ(drawn.width, 12 * kTimes);
  int before = 0;
  for (int64_t patch = 0; patch < 6; ++patch) {
    const int64_t y = (patch / 3 * 4 + 2) * kTimes;
    const int64_t x = (patch % 3 * 4 + 2) * kTimes;
    const int now = brightness(drawn, y, x);
    EXPECT_GT(now, before) << patch;
    EXPECT_EQ(now, brightness(drawn, y + kTimes, x + kTimes)) << "one colour in a patch";
    before = now;
  }
}

TEST(EnergyMap, ShowsTheImageBeneath) {
  Image image = grey_image(8, 8);
  image.pixels[3] = 255;
  const Image drawn = energy_map_image(image, {2, 2, 4, {1, 1, 1, 1}});
  EXPECT_GT(brightness(drawn, 5, 3 * 32 + 5), brightness(drawn, 5, 5));
}

TEST(EnergyMap, WritesTheEndsOfItsScale) {
  // Of 100 energies, the second lowest and the second highest but one are the ends.
  PatchMap map{10, 10, 4, std::vector<float>(100)};
  std::iota(map.values.begin(), map.values.end(), 0.0F);
  const Image some = energy_map_image(grey_image(40, 40), map);
  map.values[99] = 1000;
  EXPECT_EQ(energy_map_image(grey_image(40, 40), map).pixels, some.pixels)
      << "an outlier changes nothing";
  map.values[98] = 98.5F;
  EXPECT_EQ(energy_map_image(grey_image(40, 40), map).pixels, some.pixels);
  map.values[97] = 1000;
  EXPECT_NE(energy_map_image(grey_image(40, 40), map).pixels, some.pixels);
  // Ink beneath the bar, at both ends.
  int ink = 0;
  int64_t leftmost = some.width;
  int64_t rightmost = 0;
  for (int64_t y = some.height - 20; y < some.height; ++y) {
    for (int64_t x = 0; x < some.width; ++x) {
      if (brightness(some, y, x) < 150) {
        ++ink;
        leftmost = std::min(leftmost, x);
        rightmost = std::max(rightmost, x);
      }
    }
  }
  EXPECT_GT(ink, 20);
  EXPECT_LT(leftmost, 10);
  EXPECT_GT(rightmost, some.width - 10);
}

TEST(EnergyMap, OfANarrowOrALargeImageHasRoomForItsScale) {
  const Image narrow = energy_map_image(grey_image(400, 2), {100, 1, 4, std::vector<float>(100)});
  EXPECT_EQ(narrow.width, 200);
  const Image large = energy_map_image(grey_image(30, 1000), {8, 250, 4, std::vector<float>(2000)});
  EXPECT_EQ(large.width, 1000);
  EXPECT_GT(large.height, 30);
}

TEST(EnergyMap, RefusesTheMapOfAnotherImage) {
  EXPECT_EQ(testing::error_text([] {
              energy_map_image(grey_image(8, 8), {2, 3, 4, {}});
            }),
            "energy map: 2 x 3 patches of 4 pixels are not those of an image of 8 x 8");
}

}  // namespace
}  // namespace ebt
