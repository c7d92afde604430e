#include "ebt/data/image/image.h"

#include <gtest/gtest.h>

#include <limits>

#include "ebt/data/image/exif.h"
#include "tests/support/error_text.h"

namespace ebt {
namespace {

using testing::error_text;
using Pixels = std::vector<uint8_t>;

TEST(Image, RepeatsGreyInColour) {
  const Image grey{1, 2, 1, {7, 200}};
  EXPECT_EQ(with_channels(grey, 3).pixels, (Pixels{7, 7, 7, 200, 200, 200}));
  EXPECT_EQ(with_channels(grey, 1).pixels, grey.pixels);
}

TEST(Image, BecomesGreyByItsLuma) {
  const Image colour{1, 5, 3, {255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255, 10, 20, 30}};
  const Image grey = with_channels(colour, 1);
  EXPECT_EQ(grey.channels, 1);
  EXPECT_EQ(grey.pixels, (Pixels{76, 150, 29, 255, 18})) << "0.299 R + 0.587 G + 0.114 B, rounded";
  EXPECT_EQ(error_text([&] { with_channels(colour, 4); }), "image: cannot make 4 channels of 3");
}

TEST(Image, HasPlanesOfItsParts) {
  // 2 x 3 pixels whose channels are 0, 10, 20 .. 170.
  Image image{2, 3, 3, {}};
  for (int i = 0; i < 18; ++i) {
    image.pixels.push_back(static_cast<uint8_t>(10 * i));
  }
  std::vector<float> planes(3 * 1 * 2);
  to_planes(image, 1, 1, {planes.data(), {3, 1, 2}});
  const std::vector<int> expected = {120, 150, 130, 160, 140, 170};
  for (size_t i = 0; i < planes.size(); ++i) {
    EXPECT_EQ(planes[i], static_cast<float>(expected[i]) / 127.5F - 1.0F) << i;
  }
  EXPECT_EQ(error_text([&] {
              to_planes(image, 1, 2, {planes.data(), {3, 1, 2}});
            }),
            "image: 2 x 1 pixels from row 1 and column 2 are not inside an image of 3 x 2 pixels");
  EXPECT_EQ(error_text([&] {
              to_planes(image, -1, 0, {planes.data(), {3, 1, 2}});
            }),
            "image: 2 x 1 pixels from row -1 and column 0 are not inside an image of 3 x 2 pixels");
  EXPECT_EQ(error_text([&] {
              to_planes(image, 0, 0, {planes.data(), {1, 2, 3}});
            }),
            "image: planes of shape (1,2,3) cannot hold 3 channels");
}

TEST(Image, ComesBackFromPlanes) {
  Image image{16, 16, 1, {}};
  for (int i = 0; i < 256; ++i) {
    image.pixels.push_back(static_cast<uint8_t>(i));
  }
  std::vector<float> planes(256);
  to_planes(image, 0, 0, {planes.data(), {1, 16, 16}});
  EXPECT_EQ(planes.front(), -1.0F);
  EXPECT_EQ(planes.back(), 1.0F);
  const Image back = from_planes({planes.data(), {1, 16, 16}});
  EXPECT_EQ(back.height, 16);
  EXPECT_EQ(back.pixels, image.pixels);
}

TEST(Image, ClampsAndRoundsPlanes) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> planes = {
      -7, 7, -infinity, infinity, nan, 0.49F / 127.5F - 1, 0.51F / 127.5F - 1, 0};
  EXPECT_EQ(from_planes({planes.data(), {1, 2, 4}}).pixels, (Pixels{0, 255, 0, 255, 0, 0, 1, 128}));
  EXPECT_EQ(error_text([&] {
              from_planes({planes.data(), {2, 2, 2}});
            }),
            "image: planes of shape (2,2,2) are neither grey nor RGB");
}

// Exif says where the first row and the first column of what is stored are to be seen.
TEST(Upright, TurnsAndMirrorsAsExifSays) {
  const Image stored{2, 3, 1, {'a', 'b', 'c', 'd', 'e', 'f'}};
  const std::vector<std::string> expected = {"abcdef", "cbafed", "fedcba", "defabc",
                                             "adbecf", "daebfc", "fcebda", "cfbead"};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Image image = upright(stored, orientation);
    EXPECT_EQ(image.height, orientation < 5 ? 2 : 3);
    EXPECT_EQ(image.width, orientation < 5 ? 3 : 2);
    EXPECT_EQ(std::string(image.pixels.begin(), image.pixels.end()),
              expected[static_cast<size_t>(orientation - 1)])
        << orientation;
  }
}

TEST(Upright, KeepsColoursTogether) {
  const Image turned = upright({1, 2, 3, {1, 2, 3, 4, 5, 6}}, 6);
  EXPECT_EQ(turned.pixels, (Pixels{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(turned.height, 2);
  EXPECT_EQ(upright({1, 2, 3, {1, 2, 3, 4, 5, 6}}, 3).pixels, (Pixels{4, 5, 6, 1, 2, 3}));
}

}  // namespace
}  // namespace ebt
