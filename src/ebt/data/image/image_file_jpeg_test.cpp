#include <gtest/gtest.h>

#include "ebt/data/image/image.h"
#include "tests/support/image_encoder.h"
#include "tests/support/small_images.h"

namespace ebt {
namespace {

using testing::exif_with_orientation;
using testing::expect_near;
using testing::gradient;
using testing::jpeg_of;
using testing::JpegKind;
using testing::make_jpeg;
using testing::refusal;
using testing::set_jpeg_size;
using Pixels = std::vector<uint8_t>;

TEST(JpegFile, IsReadNearlyAsItWasWritten) {
  for (const int64_t channels : {1, 3}) {
    JpegKind kind;
    kind.quality = 100;
    const Image image = gradient(33, 47, channels);
    expect_near(decode_image(jpeg_of(image, kind), "'x'"), image, channels == 1 ? 1 : 6);
  }
}

TEST(JpegFile, MayBeProgressiveOrHaveRestarts) {
  const Image image = gradient(40, 50, 3);
  const Image plain = decode_image(jpeg_of(image), "'x'");
  JpegKind kind;
  kind.progressive = true;
  EXPECT_EQ(decode_image(jpeg_of(image, kind), "'x'").pixels, plain.pixels);
  kind.progressive = false;
  kind.restart_interval = 2;
  EXPECT_EQ(decode_image(jpeg_of(image, kind), "'x'").pixels, plain.pixels);
}

TEST(JpegFile, StoredAsRgbIsRead) {
  JpegKind kind;
  kind.stored = JCS_RGB;
  kind.quality = 100;
  const Image image = gradient(16, 16, 3);
  expect_near(decode_image(jpeg_of(image, kind), "'x'"), image, 6);
}

TEST(JpegFile, TruncatedAnywhereIsRefused) {
  JpegKind progressive;
  progressive.progressive = true;
  JpegKind restarts;
  restarts.restart_interval = 1;
  restarts.exif = exif_with_orientation(6, false);
  for (const JpegKind& kind : {JpegKind{}, progressive, restarts}) {
    const std::string whole = jpeg_of(gradient(30, 20, 3), kind);
    for (size_t length = 1; length < whole.size(); ++length) {
      EXPECT_EQ(refusal(whole.substr(0, length)), "'x' is truncated") << length;
    }
  }
}

TEST(JpegFile, ThatIsDamagedIsRefused) {
  JpegKind kind;
  kind.restart_interval = 1;
  std::string jpeg = jpeg_of(gradient(64, 64, 1), kind);
  const size_t restart = jpeg.find("\xff\xd3");
  ASSERT_NE(restart, std::string::npos);
  std::string without_restart = jpeg;
  without_restart.erase(restart - 3, 5);
  EXPECT_TRUE(refusal(without_restart).starts_with("'x' is damaged: Corrupt JPEG data"))
      << refusal(without_restart);
  std::string with_filling = jpeg;
  with_filling.insert(restart, "\x01\x02");
  EXPECT_TRUE(refusal(with_filling).starts_with("'x' is damaged: Corrupt JPEG data: 2 extraneous"))
      << refusal(with_filling);
}

TEST(JpegFile, MayHaveFillingBeforeAndAnythingBehindItsEnd) {
  const std::string jpeg = jpeg_of(gradient(16, 16, 3));
  const Pixels expected = decode_image(jpeg, "'x'").pixels;
  std::string filled = jpeg;
  filled.insert(filled.size() - 2, std::string(7, '\0'));
  EXPECT_EQ(decode_image(filled, "'x'").pixels, expected);
  EXPECT_EQ(decode_image(jpeg + "more", "'x'").pixels, expected);
}

// Of so many pixels of one colour, nearly these.
void expect_colour(const std::string& jpeg, const Pixels& colour) {
  const Image image = decode_image(jpeg, "'x'");
  ASSERT_EQ(image.channels, 3);
  for (size_t i = 0; i < image.pixels.size(); ++i) {
    ASSERT_NEAR(image.pixels[i], colour[i % 3], 3);
  }
}

TEST(JpegFile, OfCmykBecomesRgb) {
  JpegKind kind;
  kind.channels = 4;
  kind.quality = 100;
  kind.pixels = JCS_CMYK;
  // Light of the four inks, as Adobe's programs store them: libjpeg marks these files as theirs.
  std::string rows;
  for (int pixel = 0; pixel < 8 * 8; ++pixel) {
    rows += "\xff\x80\x40\xc0";
  }
  for (const J_COLOR_SPACE stored : {JCS_CMYK, JCS_YCCK}) {
    kind.stored = stored;
    expect_colour(make_jpeg(8, 8, rows, kind), {192, 96, 48});
  }
  // Without that mark the same bytes are ink.
  kind.stored = JCS_CMYK;
  std::string jpeg = make_jpeg(8, 8, rows, kind);
  const size_t adobe = jpeg.find("\xff\xee");
  ASSERT_NE(adobe, std::string::npos);
  jpeg.erase(adobe, 16);
  expect_colour(jpeg, {0, 31, 47});
}

// As some cameras write it: the scan of a baseline image claims to hold coefficients 0 to 0.
TEST(JpegFile, WithAScanHeaderThatContradictsItselfIsRead) {
  const Image image = gradient(33, 47, 3);
  const std::string jpeg = jpeg_of(image);
  std::string odd = jpeg;
  const size_t scan = jpeg.find("\xff\xda");
  ASSERT_EQ(jpeg.substr(scan + 11, 3), std::string("\x00\x3f\x00", 3));
  odd.replace(scan + 11, 3, std::string(3, '\0'));
  EXPECT_EQ(decode_image(odd, "'x'").pixels, decode_image(jpeg, "'x'").pixels);
  EXPECT_EQ(refusal(odd.substr(0, odd.size() - 40)), "'x' is truncated");
}

TEST(JpegFile, MayHaveFillingBeforeItsFirstPixel) {
  const std::string jpeg = jpeg_of(gradient(16, 16, 3));
  std::string filled = jpeg;
  filled.insert(jpeg.find("\xff\xdb"), std::string(5, '\0'));
  EXPECT_EQ(decode_image(filled, "'x'").pixels, decode_image(jpeg, "'x'").pixels);
}

TEST(JpegFile, OfTwoChannelsIsRefused) {
  JpegKind kind;
  const std::string rows(8 * 8 * 4, 'c');
  kind.channels = 2;
  kind.pixels = kind.stored = JCS_UNKNOWN;
  EXPECT_EQ(refusal(make_jpeg(8, 8, rows, kind)),
            "'x' has 2 channels: JPEG images of 1, 3 and 4 are read");
}

TEST(JpegFile, OfArithmeticCodingIsRefused) {
  JpegKind kind;
  kind.arithmetic = true;
  EXPECT_EQ(refusal(jpeg_of(gradient(8, 8, 3), kind)),
            "'x' uses arithmetic coding, which is not supported");
}

TEST(JpegFile, OfHundredsOfScansIsRefused) {
  JpegKind kind;
  kind.scans.push_back({3, {0, 1, 2}, 0, 0, 0, 0});
  for (int component = 0; component < 3; ++component) {
    for (int coefficient = 1; coefficient < 64; ++coefficient) {
      kind.scans.push_back({1, {component}, coefficient, coefficient, 0, 0});
    }
  }
  EXPECT_EQ(refusal(jpeg_of(gradient(8, 8, 3), kind)),
            "'x' is damaged: it has more than 100 scans");
  kind.scans.resize(1);
  kind.scans.push_back({1, {0}, 1, 63, 0, 0});
  kind.scans.push_back({1, {1}, 1, 63, 0, 0});
  kind.scans.push_back({1, {2}, 1, 63, 0, 0});
  EXPECT_EQ(decode_image(jpeg_of(gradient(8, 8, 3), kind), "'x'").pixels,
            decode_image(jpeg_of(gradient(8, 8, 3)), "'x'").pixels);
}

TEST(JpegFile, OfImpossibleSizeIsRefusedBeforeMemoryIsTaken) {
  JpegKind progressive;
  progressive.progressive = true;
  for (const JpegKind& kind : {JpegKind{}, progressive}) {
    std::string jpeg = jpeg_of(gradient(8, 8, 3), kind);
    set_jpeg_size(jpeg, 50000, 50000);
    EXPECT_EQ(refusal(jpeg),
              "'x' has 50000 x 50000 pixels: images of more than 268435456 are not read");
    set_jpeg_size(jpeg, 16000, 16000);
    EXPECT_EQ(refusal(jpeg),
              fmt::format("'x' is truncated or damaged: it has {} bytes for 16000 x 16000 pixels",
                          jpeg.size()));
    set_jpeg_size(jpeg, 0, 8);
    EXPECT_TRUE(refusal(jpeg).starts_with("'x' is damaged: Empty JPEG image")) << refusal(jpeg);
  }
}

TEST(JpegFile, MayBeAsSmallAsGreyIs) {
  const Image grey{2000, 2000, 1, Pixels(2000 * 2000, 128)};
  JpegKind progressive;
  progressive.progressive = true;
  for (const JpegKind& kind : {JpegKind{}, progressive}) {
    EXPECT_EQ(decode_image(jpeg_of(grey, kind), "'x'").pixels, grey.pixels);
  }
}

}  // namespace
}  // namespace ebt
