#include "ebt/data/image/image_data.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <set>

#include "ebt/data/image/dead_leaves.h"
#include "tests/support/error_text.h"
#include "tests/support/image_streams.h"

namespace ebt {
namespace {

using testing::error_text;
using testing::ImageDataFixture;
using testing::kSide;
using testing::levels_of;
using testing::take;

class ImageDataTest : public ImageDataFixture {};

TEST_F(ImageDataTest, ShowsEveryFileOnceAnEpoch) {
  write_files(20);
  const ImageData data = open();
  EXPECT_EQ(data.training_files, 20);
  EXPECT_EQ(data.validation->count(), 0);
  EXPECT_EQ(data.fingerprint, open_image_files(config_.data, "")->fingerprint());
  std::set<std::vector<int>> orders;
  for (int64_t epoch = 0; epoch < 5; ++epoch) {
    std::vector<int> levels = levels_of(take(*data.training, epoch * 20, 20));
    orders.insert(levels);
    std::sort(levels.begin(), levels.end());
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(levels[static_cast<size_t>(i)], i);
    }
  }
  EXPECT_EQ(orders.size(), 5U);
  EXPECT_NE(levels_of(take(*open(2).training, 0, 20)), levels_of(take(*open(1).training, 0, 20)));
}

TEST_F(ImageDataTest, IsTheSameWithAnyNumberOfLoadersAndAnyBatches) {
  for (int i = 0; i < 11; ++i) {
    write_file(i, encode_png(draw_dead_leaves(1, i, 3, 9 + i % 3, 8 + i)));
  }
  config_.loaders = 1;
  const auto expected = take(*open().training, 0, 200);
  for (const int64_t loaders : {2, 5}) {
    for (const int64_t batch : {1, 7, 200}) {
      config_.loaders = loaders;
      EXPECT_EQ(take(*open().training, 0, 200, batch), expected) << loaders << " " << batch;
    }
  }
}

TEST_F(ImageDataTest, ResumesAnywhere) {
  for (int i = 0; i < 11; ++i) {
    write_file(i, encode_png(draw_dead_leaves(1, i, 3, 9, 8 + i)));
  }
  const ImageData whole = open();
  const auto expected = take(*whole.training, 12000, 1000, 100);
  const ImageData resumed = open();
  const auto rest = take(*resumed.training, 12345, 20);
  EXPECT_TRUE(std::equal(rest.begin(), rest.end(), expected.begin() + 345));
  const auto earlier = take(*resumed.training, 12001, 5);
  EXPECT_TRUE(std::equal(earlier.begin(), earlier.end(), expected.begin() + 1));
}

// Pixel (y, x) of the file is 16 y + x, so that a crop says where it was cut.
TEST_F(ImageDataTest, CutsAndMirrorsAtRandom) {
  Image image{16, 16, 1, {}};
  for (int i = 0; i < 256; ++i) {
    image.pixels.push_back(static_cast<uint8_t>(i));
  }
  write_file(0, encode_png(image));
  std::set<int> corners;
  int mirrored = 0;
  for (const bool flip : {true, false}) {
    config_.flip = flip;
    for (const std::vector<float>& crop : take(*open().training, 0, 2000)) {
      std::vector<int> levels;
      for (const float value : crop) {
        levels.push_back(static_cast<int>(std::lround((value + 1) * 127.5F)));
      }
      const int step = levels[1] - levels[0];
      ASSERT_TRUE(step == 1 || (flip && step == -1));
      for (int y = 0; y < kSide; ++y) {
        for (int x = 0; x < kSide; ++x) {
          ASSERT_EQ(levels[static_cast<size_t>(y * kSide + x)], levels[0] + 16 * y + step * x);
        }
      }
      mirrored += step == -1 ? 1 : 0;
      corners.insert(step == 1 ? levels[0] : levels[3]);
    }
  }
  EXPECT_NEAR(mirrored, 1000, 120);
  EXPECT_EQ(corners.size(), 13U * 13) << "every place";
}

TEST_F(ImageDataTest, EnlargesSmallImagesAndMakesChannels) {
  write_file(0, encode_png({2, 1, 3, {255, 0, 0, 0, 0, 255}}));
  const ImageData grey = open();
  for (const std::vector<float>& image : take(*grey.training, 0, 20)) {
    for (const float value : image) {
      EXPECT_GE(value, 28 / 127.5F - 1);
      EXPECT_LE(value, 77 / 127.5F - 1);
    }
  }
  const ImageData colour = open_image_data(config_, 3, kSide, kSide, 1);
  const auto images = take(*colour.training, 0, 1, 1, 3);
  EXPECT_EQ(images[0].size(), 3U * kSide * kSide);
  EXPECT_EQ(images[0][kSide * kSide], -1) << "no green";
}

// ---- What is refused.

TEST_F(ImageDataTest, RefusesImpossibleConfigs) {
  write_files(1);
  const auto refusal = [&](double validation, int64_t loaders) {
    ImageDataConfig config = config_;
    config.validation = validation;
    config.loaders = loaders;
    return error_text([&] { open_image_data(config, 1, kSide, kSide, 1); });
  };
  EXPECT_EQ(refusal(1, 1), "--validation: 1 is not in [0, 1)");
  EXPECT_EQ(refusal(-0.1, 1), "--validation: -0.1 is not in [0, 1)");
  EXPECT_EQ(refusal(std::numeric_limits<double>::quiet_NaN(), 1),
            "--validation: nan is not in [0, 1)");
  EXPECT_EQ(refusal(0, 0), "--loaders: 0 is not between 1 and 256");
  EXPECT_EQ(refusal(0, 257), "--loaders: 257 is not between 1 and 256");
  EXPECT_EQ(refusal(0.99, 1), "no error") << "one file alone is for training";
  ImageDataConfig leaves;
  leaves.within = "train/";
  EXPECT_EQ(error_text([&] { leaves.check(); }),
            "--within: 'train/' is part of no path without --data: dead leaves have none");
  EXPECT_EQ(error_text([&] { open_image_data(config_, 2, 4, 4, 1); }),
            "images: 2 channels are neither grey nor RGB");
  EXPECT_EQ(error_text([&] { open_image_data(config_, 1, 0, 4, 1); }),
            "images: cannot cut 4 x 0 pixels");
}

TEST_F(ImageDataTest, RefusesTensorsOfOtherShapes) {
  write_files(4);
  config_.validation = 0.5;
  const ImageData data = open();
  EXPECT_EQ(error_text([&] { take(*data.training, 0, 1, 1, 3); }),
            "images: a tensor of shape (1,3,4,4) cannot hold images of shape (1,4,4)");
  EXPECT_EQ(error_text([&] { take(*data.validation, 1, 2, 2); }),
            "images: (2,1,4,4) from number 1 on were asked for, of 2 for validation");
}

// ---- Dead leaves.

TEST(DeadLeavesData, AreEndlessAndValidatedOnAFixedSet) {
  const ImageData data = open_image_data({}, 3, 8, 8, 5);
  EXPECT_EQ(data.training_files, 0);
  EXPECT_EQ(data.training->bad().count, 0);
  ASSERT_EQ(data.validation->count(), 512);
  std::vector<float> expected(3 * 8 * 8);
  to_planes(draw_dead_leaves(5, 1'000'000'003, 3, 8, 8), 0, 0, {expected.data(), {3, 8, 8}});
  EXPECT_EQ(take(*data.training, 1'000'000'000, 5, 5, 3, 8)[3], expected);
  const ImageData other = open_image_data({}, 3, 8, 8, 6);
  EXPECT_NE(take(*other.training, 0, 4, 4, 3, 8), take(*data.training, 0, 4, 4, 3, 8));
  EXPECT_EQ(take(*other.validation, 0, 512, 100, 3, 8), take(*data.validation, 0, 512, 64, 3, 8));
  EXPECT_EQ(other.fingerprint, data.fingerprint);
  ImageDataConfig none;
  none.validation = 0;
  EXPECT_EQ(open_image_data(none, 3, 8, 8, 5).validation->count(), 0);
}

// ---- Published images, where they lie beside the project.

class PublishedImages : public ::testing::Test {
 protected:
  std::string archive(const std::string& name) {
    const std::filesystem::path folder = std::filesystem::path(EBT_SOURCE_DIR) / "../shared/data";
    return std::filesystem::exists(folder / name) ? (folder / name).string() : "";
  }
};

TEST_F(PublishedImages, OfCifar10AreAllRead) {
  const std::string path = archive("cifar10_subset.tar");
  if (path.empty()) {
    GTEST_SKIP() << "there is no ../shared/data with cifar10_subset.tar";
  }
  const auto files = open_image_files(path, "");
  ASSERT_EQ(files->count(), 11000);
  for (int64_t i = 0; i < files->count(); ++i) {
    const Image image = files->read(i);
    ASSERT_EQ(image.height, 32);
    ASSERT_EQ(image.width, 32);
    ASSERT_EQ(image.channels, 3);
  }
  const auto test = open_image_files(path, "test/");
  ASSERT_EQ(test->count(), 1000);
  const std::vector<std::string> labels = image_labels(*test);
  const std::set<std::string> classes(labels.begin(), labels.end());
  EXPECT_EQ(classes, (std::set<std::string>{"airplane", "automobile", "bird", "cat", "deer", "dog",
                                            "frog", "horse", "ship", "truck"}));

  ImageDataConfig config;
  config.data = path;
  config.within = "train/";
  const ImageData data = open_image_data(config, 3, 32, 32, 1);
  EXPECT_EQ(data.training_files, 9000);
  EXPECT_EQ(data.validation->count(), 1000);
  take(*data.training, 0, 9000, 100, 3, 32);
  take(*data.validation, 0, 1000, 100, 3, 32);
  EXPECT_EQ(data.training->bad().count, 0);
}

TEST_F(PublishedImages, OfCbsd68AreAllRead) {
  const std::string path = archive("cbsd68.tar");
  if (path.empty()) {
    GTEST_SKIP() << "there is no ../shared/data with cbsd68.tar";
  }
  const auto files = open_image_files(path, "");
  ASSERT_EQ(files->count(), 68);
  for (int64_t i = 0; i < files->count(); ++i) {
    const Image image = files->read(i);
    EXPECT_EQ(image.channels, 3);
    EXPECT_EQ(std::minmax(image.height, image.width), std::minmax<int64_t>(321, 481));
    if (i % 20 == 0) {
      EXPECT_EQ(decode_image(encode_png(image), "'copy'").pixels, image.pixels);
    }
  }
}

}  // namespace
}  // namespace ebt
