#include "ebt/serve/image_header.h"

#include <gtest/gtest.h>

#include "tests/support/small_images.h"

namespace ebt {
namespace {

using testing::gradient;
using testing::jpeg_of;
using testing::JpegKind;

// "width x height", or "none".
std::string size_of(std::string_view bytes) {
  const auto size = stored_image_size(bytes);
  return size ? fmt::format("{} x {}", size->width, size->height) : "none";
}

TEST(ImageHeader, TellsTheSizeOfEveryKindOfFile) {
  const Image image = gradient(21, 300, 3);
  EXPECT_EQ(size_of(encode_png(image)), "300 x 21");
  EXPECT_EQ(size_of(jpeg_of(image)), "300 x 21");
  EXPECT_EQ(size_of(jpeg_of(gradient(9, 5, 1))), "5 x 9");
  JpegKind kind;
  kind.progressive = true;
  EXPECT_EQ(size_of(jpeg_of(image, kind)), "300 x 21");
  kind = {};
  kind.restart_interval = 2;
  kind.exif = std::string("II*\0\x08\0\0\0\0\0\0\0\0\0", 14);
  EXPECT_EQ(size_of(jpeg_of(image, kind)), "300 x 21");
}

TEST(ImageHeader, WalksOverBytesThatBelongToNoSegment) {
  const std::string jpeg = jpeg_of(gradient(7, 6, 3));
  EXPECT_EQ(size_of(jpeg.substr(0, 2) + "\xff\xff" + jpeg.substr(2)), "6 x 7") << "filling";
  EXPECT_EQ(size_of(jpeg.substr(0, 2) + std::string("\xff\0garbage", 9) + jpeg.substr(2)), "6 x 7");
  EXPECT_EQ(size_of(jpeg.substr(0, 2) + "\xff\xd0\xff\x01" + jpeg.substr(2)), "6 x 7");
}

TEST(ImageHeader, TakesNoTableForAFrame) {
  const std::string jpeg = jpeg_of(gradient(7, 6, 3));
  for (const char* marker : {"\xff\xc4", "\xff\xc8", "\xff\xcc"}) {
    const std::string table = marker + std::string("\0\x09\0\0\x01\0\x01\0\0", 9);
    EXPECT_EQ(size_of(jpeg.substr(0, 2) + table + jpeg.substr(2)), "6 x 7");
  }
}

TEST(ImageHeader, BelievesWhatAHeaderClaims) {
  std::string png = encode_png(gradient(4, 4, 3));
  png.replace(16, 8, std::string("\0\0\xc3\x50\0\0\xc3\x51", 8));
  EXPECT_EQ(size_of(png), "50000 x 50001");
}

TEST(ImageHeader, SaysNothingWhereThereIsNone) {
  for (const std::string bytes :
       {"", "\xff\xd8", "\x89PNG\r\n\x1a\n", "GIF89a12345678", "\xff\xd8\xff\xd9",
        "\xff\xd8\xff\xe0", "\xff\xd8\xff\xff\xff\xff"}) {
    EXPECT_EQ(size_of(bytes), "none");
  }
  const std::string jpeg = jpeg_of(gradient(7, 6, 3));
  const std::string png = encode_png(gradient(7, 6, 3));
  for (size_t length = 0; length < 24; ++length) {
    EXPECT_EQ(size_of(png.substr(0, length)), "none") << length;
    EXPECT_EQ(size_of(jpeg.substr(0, length)), "none") << length;
  }
  EXPECT_EQ(size_of("\xff\xd8\xff\xe0\x01\x02" + std::string(90, 'a')), "none") << "too long";
  EXPECT_EQ(size_of(std::string("\xff\xd8\xff\xe0\0\1aaaaaaaaa", 15)), "none") << "too short";
}

}  // namespace
}  // namespace ebt
