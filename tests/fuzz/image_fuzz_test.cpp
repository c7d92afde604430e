// Thousands of damaged images and archives. Whatever is in one, it is refused with an Error or
// becomes an image; run under the sanitizers, reading it also stays within its memory and leaves
// none behind.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "ebt/data/image/dead_leaves.h"
#include "ebt/data/image/exif.h"
#include "ebt/data/image/image.h"
#include "ebt/data/image/image_data.h"
#include "ebt/data/image/tar.h"
#include "tests/fuzz/mutator.h"
#include "tests/fuzz/refusals.h"
#include "tests/support/image_encoder.h"
#include "tests/support/tar_builder.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::exif_with_orientation;
using testing::expect_refused_or_consistent;
using testing::JpegKind;
using testing::make_jpeg;
using testing::make_png;
using testing::Mutator;
using testing::PngKind;
using testing::tar_end;
using testing::tar_member;
using testing::TemporaryFolder;

constexpr uint32_t kHeight = 14;
constexpr uint32_t kWidth = 19;

void expect_image(std::string_view bytes) {
  // The most memory that a byte of a file becomes: four channels of an image of 1 bit, deflated.
  constexpr size_t kMostPerByte = 1032 * 32;
  int64_t told_pixels = 0;
  const Image image = decode_image(
      bytes, "'mutated'", [&](int64_t width, int64_t height) { told_pixels = width * height; });
  EXPECT_EQ(told_pixels, image.width * image.height);
  EXPECT_GT(image.height, 0);
  EXPECT_GT(image.width, 0);
  EXPECT_TRUE(image.channels == 1 || image.channels == 3);
  EXPECT_EQ(image.pixels.size(), static_cast<size_t>(image.height * image.width * image.channels));
  EXPECT_LE(image.pixels.size(), kMostPerByte * bytes.size());
}

// Damage to text and damage to bytes, here or there.
void damage(std::string& bytes, Mutator& mutator, size_t begin, size_t end) {
  if (mutator.below(3) == 0) {
    mutator.mutate(bytes, begin, end);
  } else {
    mutator.mutate_bytes(bytes, begin, end);
  }
}

std::string pixels(size_t bytes_of_pixel) {
  const Image image =
      draw_dead_leaves(1, 1, 1, kHeight, static_cast<int64_t>(kWidth * bytes_of_pixel));
  return {image.pixels.begin(), image.pixels.end()};
}

std::vector<std::string> valid_pngs() {
  PngKind colour;
  colour.exif = exif_with_orientation(7, true);
  PngKind deep{.bits = 16, .colour_type = PNG_COLOR_TYPE_GRAY, .interlaced = true};
  PngKind alpha{.bits = 8, .colour_type = PNG_COLOR_TYPE_GRAY_ALPHA};
  std::string opaque = pixels(2);
  for (size_t i = 1; i < opaque.size(); i += 2) {
    opaque[i] = '\xff';
  }
  PngKind palette{.bits = 4, .colour_type = PNG_COLOR_TYPE_PALETTE, .interlaced = true};
  palette.palette.resize(16, {1, 2, 3});
  palette.palette_alpha = {255, 255};
  return {make_png(kHeight, kWidth, pixels(3), colour), make_png(kHeight, kWidth, pixels(2), deep),
          make_png(kHeight, kWidth, opaque, alpha), make_png(kHeight, kWidth, pixels(1), palette)};
}

TEST(FuzzPng, IsRefusedOrAnImage) {
  const std::vector<std::string> valid = valid_pngs();
  for (const std::string& png : valid) {
    expect_image(png);
  }
  expect_refused_or_consistent([&](Mutator mutator) {
    std::string png = valid[mutator.below(valid.size())];
    // Half of the damage to what stands before the pixels.
    const size_t end = mutator.below(2) == 0 ? png.find("IDAT") + 4 : png.size();
    damage(png, mutator, mutator.below(8) == 0 ? 0 : 8, end);
    if (mutator.below(8) != 0) {
      testing::repair_png(png);
    }
    expect_image(png);
  });
}

std::vector<std::string> valid_jpegs() {
  JpegKind colour;
  colour.exif = exif_with_orientation(8, false);
  JpegKind progressive;
  progressive.progressive = true;
  JpegKind grey{.pixels = JCS_GRAYSCALE, .stored = JCS_GRAYSCALE, .channels = 1};
  grey.restart_interval = 1;
  return {make_jpeg(kHeight, kWidth, pixels(3), colour),
          make_jpeg(kHeight, kWidth, pixels(3), progressive),
          make_jpeg(kHeight, kWidth, pixels(1), grey)};
}

TEST(FuzzJpeg, IsRefusedOrAnImage) {
  const std::vector<std::string> valid = valid_jpegs();
  for (const std::string& jpeg : valid) {
    expect_image(jpeg);
  }
  expect_refused_or_consistent([&](Mutator mutator) {
    std::string jpeg = valid[mutator.below(valid.size())];
    const size_t end = mutator.below(2) == 0 ? jpeg.find("\xff\xda") + 12 : jpeg.size();
    damage(jpeg, mutator, mutator.below(8) == 0 ? 0 : 3, end);
    expect_image(jpeg);
  });
}

TEST(FuzzExif, SaysAnOrientationOrNone) {
  const Image image{1, 2, 1, {1, 2}};
  uint64_t turned = 0;
  for (uint64_t seed = 0; seed < testing::kMutations; ++seed) {
    Mutator mutator(seed);
    std::string exif = exif_with_orientation(3, seed % 2 == 0);
    damage(exif, mutator, 0, exif.size());
    // Of just this length, so that reading behind it is found.
    const std::vector<char> exact(exif.begin(), exif.end());
    const int orientation = exif_orientation({exact.data(), exact.size()});
    EXPECT_GE(orientation, 1);
    EXPECT_LE(orientation, 8);
    EXPECT_EQ(upright(image, orientation).pixels.size(), 2U);
    turned += orientation == 1 ? 0 : 1;
  }
  EXPECT_GT(turned, testing::kMutations / 10);
  EXPECT_LT(turned, testing::kMutations * 9 / 10);
}

// Changes headers, and mostly makes their checksums right again, so that the damage is reached.
void mutate_tar(std::string& tar, Mutator& mutator) {
  const size_t blocks = tar.size() / 512;
  const size_t block = mutator.below(blocks) * 512;
  if (mutator.below(6) == 0) {
    mutator.mutate(tar, mutator.below(tar.size()), tar.size());
    return;
  }
  // The fields that are read: name, size, kind and link, kind of archive, prefix.
  const auto [begin, length] =
      std::initializer_list<std::pair<size_t, size_t>>{{0, 100}, {124, 12},  {156, 101},
                                                       {257, 8}, {345, 155}, {0, 512}}
          .begin()[mutator.below(6)];
  mutator.mutate_bytes(tar, block + begin, block + begin + length);
  if (mutator.below(8) != 0) {
    std::string header = tar.substr(block, 512);
    testing::seal_tar_header(header);
    tar.replace(block, 512, header);
  }
}

TEST(FuzzTar, IsRefusedOrConsistent) {
  const std::string long_name = std::string(150, 'n') + ".png";
  std::string link = testing::tar_header("link.png", 0, '1');
  link.replace(157, 5, "a.png");
  testing::seal_tar_header(link);
  const std::string valid =
      tar_member("a.png", "bytes of a") + tar_member("x", long_name + '\0', 'L') +
      tar_member("short", std::string(700, 's')) + tar_member("pax", "16 path=b/c.png\n", 'x') +
      tar_member("short", "c") + link + tar_member("folder", "", '5') + tar_member("d.jpg", "d") +
      tar_end();
  const TemporaryFolder folder;
  ASSERT_EQ(TarFile(folder.write("valid.tar", valid)).entries().size(), 5U);
  expect_refused_or_consistent([&](Mutator mutator) {
    std::string bytes = valid;
    mutate_tar(bytes, mutator);
    const std::string path = folder.write("mutated.tar", bytes);
    const TarFile tar(path);
    for (size_t i = 0; i < tar.entries().size(); ++i) {
      const TarEntry& entry = tar.entries()[i];
      EXPECT_FALSE(entry.path.empty());
      EXPECT_TRUE(i == 0 || tar.entries()[i - 1].path < entry.path);
      EXPECT_LE(entry.offset + entry.size, bytes.size());
      if (!entry.sparse) {
        EXPECT_EQ(tar.read(entry), bytes.substr(entry.offset, entry.size));
      }
    }
    const auto files = open_image_files(path, "");
    EXPECT_EQ(image_labels(*files).size(), static_cast<size_t>(files->count()));
    for (int64_t i = 0; i < files->count(); ++i) {
      EXPECT_THROW(files->read(i), Error);
    }
  });
}

}  // namespace
}  // namespace ebt
