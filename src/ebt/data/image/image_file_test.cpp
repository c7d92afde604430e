#include <gtest/gtest.h>

#include <filesystem>

#include "ebt/data/image/exif.h"
#include "ebt/data/image/image.h"
#include "ebt/io/file.h"
#include "tests/support/error_text.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/image_encoder.h"
#include "tests/support/small_images.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::bytes_of;
using testing::error_text;
using testing::exif_with_orientation;
using testing::expect_near;
using testing::gradient;
using testing::jpeg_of;
using testing::JpegKind;
using testing::make_png;
using testing::PngKind;
using testing::refusal;
using testing::TemporaryFolder;
using Pixels = std::vector<uint8_t>;

// ---- Orientation.

TEST(Exif, TurnsImagesOfBothFormats) {
  const Image stored = gradient(6, 10, 3);
  for (const bool big_endian : {false, true}) {
    for (int orientation = 1; orientation <= 8; ++orientation) {
      PngKind png;
      png.exif = exif_with_orientation(orientation, big_endian);
      const Image from_png = decode_image(make_png(6, 10, bytes_of(stored.pixels), png), "'x'");
      EXPECT_EQ(from_png.height, orientation < 5 ? 6 : 10);
      EXPECT_EQ(from_png.pixels, upright(stored, orientation).pixels);
      JpegKind jpeg;
      const Image plain = decode_image(jpeg_of(stored, jpeg), "'x'");
      jpeg.exif = png.exif;
      EXPECT_EQ(decode_image(jpeg_of(stored, jpeg), "'x'").pixels,
                upright(plain, orientation).pixels);
    }
  }
}

TEST(Exif, ThatIsDamagedLeavesTheImageAsItIs) {
  const std::string exif = exif_with_orientation(6, true);
  ASSERT_EQ(exif_orientation(exif), 6);
  for (size_t length = 0; length < exif.size(); ++length) {
    const int orientation = exif_orientation(std::string_view(exif).substr(0, length));
    EXPECT_TRUE(orientation == 1 || length >= 32) << length;
  }
  EXPECT_EQ(exif_orientation(exif_with_orientation(9, true)), 1);
  EXPECT_EQ(exif_orientation(exif_with_orientation(0, false)), 1);
  for (size_t at = 0; at < exif.size(); ++at) {
    std::string damaged = exif;
    damaged[at] = '\xff';
    exif_orientation(damaged);
  }
  std::string far = exif;
  far.replace(4, 4, "\xff\xff\xff\xff");
  EXPECT_EQ(exif_orientation(far), 1);
  std::string wrong_type = exif;
  wrong_type[25] = 4;
  EXPECT_EQ(exif_orientation(wrong_type), 1);
}

// ---- Files.

TEST(ImageFile, ThatIsNoneSaysWhatItIs) {
  using namespace std::string_view_literals;
  EXPECT_EQ(refusal(""), "'x' is empty");
  EXPECT_EQ(refusal("\xff\xd8"), "'x' is truncated");
  EXPECT_EQ(refusal("\x89PNG"), "'x' is truncated");
  EXPECT_EQ(refusal("GIF89a....."), "'x' is a GIF image: only PNG and JPEG are read");
  EXPECT_EQ(refusal("RIFF\x10\0\0\0WEBPVP8 "sv), "'x' is a WebP image: only PNG and JPEG are read");
  EXPECT_EQ(refusal("<!DOCTYPE html><html>"), "'x' is an HTML page: only PNG and JPEG are read");
  EXPECT_EQ(refusal("II*\0\10\0\0\0"sv), "'x' is a TIFF image: only PNG and JPEG are read");
  EXPECT_EQ(refusal("\0\0\0\x20"
                    "ftypavif"sv),
            "'x' is an AVIF image: only PNG and JPEG are read");
  EXPECT_EQ(refusal("some text"), "'x' is neither a PNG nor a JPEG image");
  EXPECT_EQ(refusal("x"), "'x' is neither a PNG nor a JPEG image");
}

TEST(ImageFile, TellsItsStoredSizeBeforeItIsDecoded) {
  const Image image = gradient(21, 30, 3);
  PngKind png;
  png.exif = exif_with_orientation(6, true);
  JpegKind jpeg;
  jpeg.progressive = true;
  jpeg.exif = exif_with_orientation(6, false);
  for (const std::string& bytes :
       {make_png(21, 30, bytes_of(image.pixels), png), jpeg_of(image, jpeg)}) {
    std::string told;
    const auto check = [&](int64_t width, int64_t height) {
      told += fmt::format("{} x {}", width, height);
    };
    EXPECT_EQ(decode_image(bytes, "'x'", check).width, 21) << "turned";
    EXPECT_EQ(told, "30 x 21");
    EXPECT_EQ(error_text([&] {
                decode_image(bytes, "'x'", [](int64_t width, int64_t) {
                  EBT_CHECK(width < 30, "{} are too many", width);
                });
              }),
              "30 are too many");
  }
}

TEST(ImageFile, IsToldByItsFirstBytesAndNotByItsName) {
  const TemporaryFolder folder;
  const Image image = gradient(4, 6, 3);
  EXPECT_EQ(read_image(folder.write("png.jpg", encode_png(image))).pixels, image.pixels);
  const std::string path = folder.write("text.png", "some text");
  EXPECT_EQ(error_text([&] { read_image(path); }),
            "'" + path + "' is neither a PNG nor a JPEG image");
  EXPECT_EQ(error_text([&] { read_image("/nowhere/x.png"); }),
            "cannot read '/nowhere/x.png': No such file or directory");
}

TEST(ImageFile, IsWrittenAsItsNameSays) {
  const TemporaryFolder folder;
  for (const int64_t channels : {1, 3}) {
    const Image image = gradient(20, 30, channels);
    write_image(folder.file("a.png"), image);
    EXPECT_EQ(read_image(folder.file("a.png")).pixels, image.pixels);
    for (const char* name : {"a.jpg", "a.JPEG"}) {
      write_image(folder.file(name), image);
      expect_near(read_image(folder.file(name)), image, 6);
      EXPECT_TRUE(read_text_file(folder.file(name), 1 << 20).starts_with("\xff\xd8"));
    }
  }
}

// Larger than the blocks in which the library's output grows.
TEST(ImageFile, MayBeLarge) {
  Image image{700, 900, 3, {}};
  uint32_t state = 1;
  for (int64_t i = 0; i < 700 * 900 * 3; ++i) {
    state = state * 1664525 + 1013904223;
    image.pixels.push_back(static_cast<uint8_t>(state >> 24U));
  }
  const TemporaryFolder folder;
  write_image(folder.file("a.jpg"), image);
  EXPECT_GT(std::filesystem::file_size(folder.file("a.jpg")), 500'000U);
  const Image read = read_image(folder.file("a.jpg"));
  EXPECT_EQ(read.height, 700);
  EXPECT_EQ(read.width, 900);
}

TEST(ImageFile, ThatCannotBeWrittenSaysWhy) {
  const TemporaryFolder folder;
  const Image image = gradient(200, 200, 3);
  const std::string gif = folder.file("a.gif");
  EXPECT_EQ(error_text([&] { write_image(gif, image); }),
            "cannot write '" + gif + "': the name of an image ends in .png, .jpg or .jpeg");
  EXPECT_EQ(error_text([&] { write_image("/nowhere/a.png", image); }),
            "cannot write '/nowhere/a.png': No such file or directory");
  const std::string jpg = folder.file("a.jpg");
  EXPECT_EQ(error_text([&] {
              write_image(jpg, Image{1, 65501, 1, Pixels(65501)});
            }),
            "cannot write '" + jpg + "': a JPEG has at most 65500 pixels a side, not 65501 x 1");
  EXPECT_EQ(
      error_text([&] {
        write_image(jpg, Image{2, 2, 3, Pixels(4)});
      }),
      "cannot write '" + jpg + "': an image of 2 x 2 pixels, 3 channels and 4 values is none");
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(ImageFile, StaysAsItWasWhenTheDiskIsFull) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.png");
  const Image small = gradient(2, 2, 3);
  write_image(path, small);
  {
    const testing::FileSizeLimit limit(1000);
    EXPECT_NE(error_text([&] { write_image(path, gradient(200, 200, 3)); }), "no error");
  }
  EXPECT_EQ(read_image(path).pixels, small.pixels);
}

}  // namespace
}  // namespace ebt
