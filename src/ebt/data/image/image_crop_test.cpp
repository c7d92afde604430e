#include "ebt/data/image/image_crop.h"

#include <gtest/gtest.h>

#include "tests/support/error_text.h"

namespace ebt {
namespace {

using Pixels = std::vector<uint8_t>;

// Pixel (y, x) is 10 y + x.
Image numbered(int64_t height, int64_t width) {
  Image image{height, width, 1, {}};
  for (int64_t i = 0; i < height * width; ++i) {
    image.pixels.push_back(static_cast<uint8_t>(i / width * 10 + i % width));
  }
  return image;
}

TEST(ImageCrop, IsAPartOfALargerImage) {
  const Image image = numbered(5, 6);
  const Image part = cut(image, 1, 2, 2, 3, false);
  EXPECT_EQ(part.height, 2);
  EXPECT_EQ(part.width, 3);
  EXPECT_EQ(part.pixels, (Pixels{12, 13, 14, 22, 23, 24}));
  EXPECT_EQ(cut(image, 1, 2, 2, 3, true).pixels, (Pixels{14, 13, 12, 24, 23, 22}));
  EXPECT_EQ(cut(image, 0, 0, 5, 6, false).pixels, image.pixels);
  EXPECT_EQ(cut_centre(image, 1, 2).pixels, (Pixels{22, 23}));
}

TEST(ImageCrop, MirrorsWholePixels) {
  EXPECT_EQ(cut({1, 3, 3, {1, 2, 3, 4, 5, 6, 7, 8, 9}}, 0, 0, 1, 3, true).pixels,
            (Pixels{7, 8, 9, 4, 5, 6, 1, 2, 3}));
}

TEST(ImageCrop, EnlargesInProportionWhatIsTooSmall) {
  const auto size = [](int64_t height, int64_t width) {
    const ImageSize result = size_to_cut(numbered(height, width), 32, 32);
    return std::pair(result.height, result.width);
  };
  EXPECT_EQ(size(32, 32), std::pair(32L, 32L));
  EXPECT_EQ(size(40, 32), std::pair(40L, 32L));
  EXPECT_EQ(size(16, 16), std::pair(32L, 32L));
  EXPECT_EQ(size(16, 40), std::pair(32L, 80L));
  EXPECT_EQ(size(7, 3), std::pair(75L, 32L)) << "74.67 rounded";
  EXPECT_EQ(size(31, 200), std::pair(32L, 206L));
}

TEST(ImageCrop, InterpolatesBetweenTheCentresOfPixels) {
  const Image pair{1, 2, 1, {100, 200}};
  // Twice as wide: pixels at -0.25 (clamped), 0.25, 0.75 and 1.25 (clamped) of the old.
  const Image wide = cut(pair, 0, 0, 2, 4, false);
  EXPECT_EQ(wide.pixels, (Pixels{100, 125, 175, 200, 100, 125, 175, 200}));
  EXPECT_EQ(cut(pair, 0, 1, 2, 2, true).pixels, (Pixels{175, 125, 175, 125}));
  const Image colours{2, 1, 3, {0, 10, 20, 100, 110, 120}};
  EXPECT_EQ(cut(colours, 1, 0, 2, 2, false).pixels,
            (Pixels{25, 35, 45, 25, 35, 45, 75, 85, 95, 75, 85, 95}));
}

TEST(ImageCrop, OfAnEnlargedImageIsItsPart) {
  const Image image = numbered(5, 9);
  const ImageSize size = size_to_cut(image, 12, 13);
  ASSERT_EQ(size.height, 12);
  ASSERT_EQ(size.width, 22);
  const Image left = cut(image, 0, 0, 12, 13, false);
  const Image right = cut(image, 0, 9, 12, 13, false);
  for (int64_t y = 0; y < 12; ++y) {
    for (int64_t x = 0; x < 4; ++x) {
      EXPECT_EQ(left.pixels[static_cast<size_t>(y * 13 + 9 + x)],
                right.pixels[static_cast<size_t>(y * 13 + x)]);
    }
  }
}

// Enlarged as a whole it would have 4.5 gigapixels.
TEST(ImageCrop, OfAVeryNarrowImageTakesNoMemory) {
  const Image narrow{1, 65500, 1, Pixels(65500, 77)};
  const Image part = cut_centre(narrow, 262, 300);
  EXPECT_EQ(part.pixels, Pixels(262 * 300, 77));
}

TEST(ImageCrop, OutsideIsRefused) {
  EXPECT_EQ(testing::error_text([] { cut(numbered(5, 6), 4, 0, 2, 2, false); }),
            "image: 2 x 2 pixels from row 4 and column 0 are not inside 6 x 5");
}

}  // namespace
}  // namespace ebt
