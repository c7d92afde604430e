#include <gtest/gtest.h>

#include "ebt/data/image/image.h"
#include "tests/support/image_encoder.h"
#include "tests/support/small_images.h"

namespace ebt {
namespace {

using testing::bytes_of;
using testing::exif_with_orientation;
using testing::gradient;
using testing::make_png;
using testing::PngKind;
using testing::refusal;
using testing::set_png_size;
using Pixels = std::vector<uint8_t>;

TEST(PngFile, IsReadAsItWasWritten) {
  for (const int64_t channels : {1, 3}) {
    const Image image = gradient(5, 7, channels);
    const Image read = decode_image(encode_png(image), "'x'");
    EXPECT_EQ(read.height, 5);
    EXPECT_EQ(read.width, 7);
    EXPECT_EQ(read.channels, channels);
    EXPECT_EQ(read.pixels, image.pixels);
  }
}

TEST(PngFile, MayBeInterlaced) {
  const Image image = gradient(13, 9, 3);
  PngKind kind;
  kind.interlaced = true;
  EXPECT_EQ(decode_image(make_png(13, 9, bytes_of(image.pixels), kind), "'x'").pixels,
            image.pixels);
}

TEST(PngFile, IsRoundedTo8BitsFrom16) {
  PngKind kind;
  kind.bits = 16;
  kind.colour_type = PNG_COLOR_TYPE_GRAY;
  // 257 steps of 16 bits are one of 8: 0x0080 is 0.498 of them, 0x0081 is 0.502.
  const Image grey = decode_image(
      make_png(1, 5, std::string("\x00\x00\xff\xff\x00\x80\x00\x81\x00\xff", 10), kind), "'x'");
  EXPECT_EQ(grey.channels, 1);
  EXPECT_EQ(grey.pixels, (Pixels{0, 255, 0, 1, 1}));
  kind.colour_type = PNG_COLOR_TYPE_RGB;
  EXPECT_EQ(decode_image(make_png(1, 1, "\x10\x10\x20\x20\x30\x30", kind), "'x'").pixels,
            (Pixels{0x10, 0x20, 0x30}));
}

TEST(PngFile, IsExpandedFromAPalette) {
  PngKind kind;
  kind.colour_type = PNG_COLOR_TYPE_PALETTE;
  kind.palette = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}};
  const Pixels expected = {7, 8, 9, 1, 2, 3, 4, 5, 6};
  const auto read = [&](int bits, const std::string& row) {
    kind.bits = bits;
    const Image image = decode_image(make_png(1, 3, row, kind), "'x'");
    EXPECT_EQ(image.channels, 3);
    return image.pixels;
  };
  EXPECT_EQ(read(8, std::string("\x02\x00\x01", 3)), expected);
  EXPECT_EQ(read(4, "\x20\x10"), expected);
  EXPECT_EQ(read(2, "\x84"), expected);
}

TEST(PngFile, IsExpandedFromFewGreys) {
  PngKind kind;
  kind.colour_type = PNG_COLOR_TYPE_GRAY;
  kind.bits = 2;
  EXPECT_EQ(decode_image(make_png(1, 4, "\x1b", kind), "'x'").pixels, (Pixels{0, 85, 170, 255}));
  kind.bits = 4;
  EXPECT_EQ(decode_image(make_png(1, 2, "\x1f", kind), "'x'").pixels, (Pixels{17, 255}));
}

TEST(PngFile, IsExpandedFromOneBit) {
  PngKind kind;
  kind.bits = 1;
  kind.colour_type = PNG_COLOR_TYPE_GRAY;
  EXPECT_EQ(decode_image(make_png(1, 4, "\x50", kind), "'x'").pixels, (Pixels{0, 255, 0, 255}));
  kind.colour_type = PNG_COLOR_TYPE_PALETTE;
  kind.palette = {{1, 2, 3}, {4, 5, 6}};
  EXPECT_EQ(decode_image(make_png(1, 3, "\xA0", kind), "'x'").pixels,
            (Pixels{4, 5, 6, 1, 2, 3, 4, 5, 6}));
}

TEST(PngFile, LosesAnAlphaChannelThatIsOpaque) {
  PngKind kind;
  kind.colour_type = PNG_COLOR_TYPE_RGB_ALPHA;
  const Image colour = decode_image(make_png(1, 2,
                                             "abc\xff"
                                             "def\xff",
                                             kind),
                                    "'x'");
  EXPECT_EQ(colour.channels, 3);
  EXPECT_EQ(bytes_of(colour.pixels), "abcdef");
  kind.colour_type = PNG_COLOR_TYPE_GRAY_ALPHA;
  const Image grey = decode_image(make_png(1, 2,
                                           "a\xff"
                                           "b\xff",
                                           kind),
                                  "'x'");
  EXPECT_EQ(grey.channels, 1);
  EXPECT_EQ(bytes_of(grey.pixels), "ab");
}

TEST(PngFile, ThatIsTransparentIsPutOnWhite) {
  PngKind kind;
  kind.colour_type = PNG_COLOR_TYPE_RGB_ALPHA;
  // Opaque, half, and not at all.
  EXPECT_EQ(decode_image(make_png(1, 3,
                                  std::string("\x0a\x14\x1e\xff"
                                              "\x0a\x14\x1e\x80"
                                              "\x0a\x14\x1e\x00",
                                              12),
                                  kind),
                         "'x'")
                .pixels,
            (Pixels{10, 20, 30, 132, 137, 142, 255, 255, 255}));
  kind.colour_type = PNG_COLOR_TYPE_GRAY_ALPHA;
  const Image grey = decode_image(make_png(1, 2, std::string("\x0a\x33\x0a\x00", 4), kind), "'x'");
  EXPECT_EQ(grey.channels, 1);
  EXPECT_EQ(grey.pixels, (Pixels{206, 255}));
  kind.bits = 16;
  EXPECT_EQ(decode_image(make_png(1, 1, std::string("\x0a\x0a\x33\x33", 4), kind), "'x'").pixels,
            (Pixels{206}));
  kind = {};
  kind.colour_type = PNG_COLOR_TYPE_PALETTE;
  kind.palette = {{1, 2, 3}, {4, 5, 6}};
  kind.palette_alpha = {255, 0};
  EXPECT_EQ(decode_image(make_png(1, 2, std::string("\x00\x01", 2), kind), "'x'").pixels,
            (Pixels{1, 2, 3, 255, 255, 255}));
  EXPECT_EQ(decode_image(make_png(1, 2, std::string("\x00\x00", 2), kind), "'x'").pixels,
            (Pixels{1, 2, 3, 1, 2, 3}))
      << "a transparent colour that no pixel has";
}

TEST(PngFile, TruncatedAnywhereIsRefused) {
  PngKind kind;
  kind.exif = exif_with_orientation(3, true);
  for (const bool interlaced : {false, true}) {
    kind.interlaced = interlaced;
    const std::string whole = make_png(11, 9, bytes_of(gradient(11, 9, 3).pixels), kind);
    for (size_t length = 1; length < whole.size(); ++length) {
      EXPECT_EQ(refusal(whole.substr(0, length)), "'x' is truncated") << length;
    }
  }
}

TEST(PngFile, ThatIsDamagedIsRefused) {
  const std::string whole = encode_png(gradient(40, 40, 3));
  for (const size_t at : {whole.size() / 2, whole.find("IDAT") + 10, whole.find("IHDR") + 14}) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    EXPECT_TRUE(refusal(damaged).starts_with("'x' is damaged: ")) << refusal(damaged);
  }
}

// What programs write beside the pixels, and often damage: a comment, a colour profile.
TEST(PngFile, WithADamagedChunkBesideThePixelsIsRead) {
  const Image image = gradient(9, 7, 3);
  const std::string whole = encode_png(image);
  std::string damaged = whole;
  damaged[whole.find("sRGB") + 4] = static_cast<char>(damaged[whole.find("sRGB") + 4] ^ 4);
  EXPECT_EQ(decode_image(damaged, "'x'").pixels, image.pixels);
  const std::string comment =
      testing::big_endian(9) + std::string("tEXtnote\0text", 13) + "\1\2\3\4";
  std::string with_comment = whole;
  with_comment.insert(whole.find("IDAT") - 4, comment);
  EXPECT_EQ(decode_image(with_comment, "'x'").pixels, image.pixels);
}

TEST(PngFile, OfImpossibleSizeIsRefusedBeforeMemoryIsTaken) {
  std::string png = encode_png(gradient(4, 4, 3));
  set_png_size(png, 50000, 50000);
  EXPECT_EQ(refusal(png),
            "'x' has 50000 x 50000 pixels: images of more than 268435456 are not read");
  set_png_size(png, 0x7FFFFFFF, 0x7FFFFFFF);
  EXPECT_EQ(refusal(png),
            "'x' has 2147483647 x 2147483647 pixels: images of more than 268435456 are not read");
  set_png_size(png, 16000, 16000);
  EXPECT_EQ(refusal(png),
            fmt::format("'x' is truncated or damaged: it has {} bytes for 16000 x 16000 pixels",
                        png.size()));
  set_png_size(png, 0, 4);
  EXPECT_EQ(refusal(png), "'x' has no pixels");
  set_png_size(png, 4, 0);
  EXPECT_EQ(refusal(png), "'x' has no pixels");
}

TEST(PngFile, MayBeAsSmallAsDeflateMakesIt) {
  const Image black{2000, 2000, 1, Pixels(2000 * 2000)};
  const std::string bytes = encode_png(black);
  EXPECT_LT(bytes.size(), 6000U);
  EXPECT_EQ(decode_image(bytes, "'x'").pixels, black.pixels);
}

}  // namespace
}  // namespace ebt
