#include "ebt/data/image/sampled_files.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "ebt/data/image/image_data.h"
#include "tests/support/error_text.h"
#include "tests/support/image_streams.h"

namespace ebt {
namespace {

using testing::error_text;
using testing::ImageDataFixture;
using testing::kSide;
using testing::levels_of;
using testing::take;

class BadImageFiles : public ImageDataFixture {};

TEST_F(BadImageFiles, ReplacesBadFilesAndCountsEachOnce) {
  write_files(12);
  const std::string good = encode_png({kSide, kSide, 1, std::vector<uint8_t>(16, 3)});
  write_file(3, "");
  write_file(5, good.substr(0, good.size() - 5));
  write_file(8, "GIF89a");
  const std::set<std::string> sentences = {
      "'" + path_of(3) + "' is empty", "'" + path_of(5) + "' is truncated",
      "'" + path_of(8) + "' is a GIF image: only PNG and JPEG are read"};
  std::vector<int> expected;
  std::vector<std::string> told;
  for (const int64_t loaders : {1, 2, 4}) {
    config_.loaders = loaders;
    const ImageData data = open();
    EXPECT_EQ(data.training->bad().count, 0);
    std::vector<int> levels = levels_of(take(*data.training, 0, 120));
    std::map<int, int> times;
    for (const int level : levels) {
      ++times[level];
    }
    EXPECT_EQ(times.size(), 9U);
    for (const auto& [level, count] : times) {
      EXPECT_TRUE(level != 3 && level != 5 && level != 8);
      EXPECT_GE(count, 10) << "once an epoch, and for the bad";
    }
    const BadImages bad = data.training->bad();
    EXPECT_EQ(bad.count, 3);
    EXPECT_EQ(bad.sentences.size(), 3U);
    EXPECT_EQ(std::set<std::string>(bad.sentences.begin(), bad.sentences.end()), sentences);
    if (expected.empty()) {
      expected = levels;
      told = bad.sentences;
    }
    EXPECT_EQ(levels, expected) << loaders;
    EXPECT_EQ(bad.sentences, told) << loaders;
    EXPECT_EQ(levels_of(take(*open().training, 57, 13)),
              std::vector<int>(expected.begin() + 57, expected.begin() + 70));
  }
}

TEST_F(BadImageFiles, TellsOfBadFilesWhenTheirPlaceHasComeAndNotBefore) {
  write_files(100);
  write_file(50, "");
  std::vector<int64_t> when;
  for (const int64_t loaders : {1, 4}) {
    config_.loaders = loaders;
    const ImageData data = open();
    int64_t number = 0;
    while (data.training->bad().count == 0 && number < 100) {
      take(*data.training, number++, 1);
    }
    when.push_back(number);
  }
  EXPECT_LT(when[0], 100);
  EXPECT_EQ(when[0], when[1]);
}

TEST_F(BadImageFiles, DescribesTheFirstFewBadFiles) {
  write_files(40);
  for (int i = 0; i < 39; ++i) {
    write_file(i, "");
  }
  const ImageData data = open();
  EXPECT_EQ(levels_of(take(*data.training, 0, 40)), std::vector<int>(40, 39));
  EXPECT_EQ(data.training->bad().count, 39);
  EXPECT_EQ(data.training->bad().sentences.size(), 5U);
}

TEST_F(BadImageFiles, WithoutAGoodFileIsOneError) {
  for (int i = 0; i < 30; ++i) {
    write_file(i, "");
  }
  const ImageData data = open();
  const std::string sentence =
      "none of the 30 images for training can be read: '" + path_of(0) + "' is empty";
  EXPECT_EQ(error_text([&] { take(*data.training, 0, 5); }), sentence);
  EXPECT_EQ(error_text([&] { take(*data.training, 0, 5); }), sentence);
  config_.validation = 0.5;
  for (int i = 0; i < 30; i += 2) {
    write_file(i, encode_png({1, 1, 1, {1}}));
  }
  const ImageData half = open();
  EXPECT_EQ(take(*half.training, 0, 20).size(), 20U);
  EXPECT_EQ(error_text([&] { take(*half.validation, 0, 5); }),
            "none of the 15 images for validation can be read: '" + path_of(1) + "' is empty");
}

// ---- Validation.

TEST(ValidationSplit, IsSpreadEvenly) {
  EXPECT_EQ(validation_files(10, 0.3),
            (std::vector<bool>{false, false, false, true, false, false, true, false, false, true}));
  for (const int64_t count : {1, 2, 5, 10, 11, 1000, 12345}) {
    for (const double share : {0.0, 0.01, 0.1, 0.5, 0.999}) {
      const std::vector<bool> chosen = validation_files(count, share);
      const auto number = std::count(chosen.begin(), chosen.end(), true);
      const auto expected = static_cast<int64_t>(static_cast<double>(count) * share);
      EXPECT_EQ(number, share > 0 && count > 1 ? std::max<int64_t>(expected, 1) : expected);
      EXPECT_EQ(chosen.size(), static_cast<size_t>(count));
    }
  }
}

TEST_F(BadImageFiles, NeverTrainsOnValidationFiles) {
  write_files(50);
  config_.validation = 0.2;
  // A bad training file must not be replaced by a validation file either.
  write_file(0, "");
  std::vector<int> kept;
  for (const uint64_t seed : {1, 2, 3}) {
    const ImageData data = open(seed);
    EXPECT_EQ(data.training_files, 40);
    ASSERT_EQ(data.validation->count(), 10);
    const std::vector<int> validation = levels_of(take(*data.validation, 0, 10));
    if (kept.empty()) {
      kept = validation;
    }
    EXPECT_EQ(validation, kept) << "whatever the seed";
    const std::vector<int> training = levels_of(take(*data.training, 0, 400));
    const std::set<int> trained(training.begin(), training.end());
    EXPECT_EQ(trained.size(), 39U);
    for (const int level : validation) {
      EXPECT_FALSE(trained.contains(level));
    }
  }
}

TEST_F(BadImageFiles, ValidatesOnTheCentres) {
  Image image{6, 8, 1, std::vector<uint8_t>(48, 9)};
  for (int64_t y = 1; y < 5; ++y) {
    for (int64_t x = 2; x < 6; ++x) {
      image.pixels[static_cast<size_t>(y * 8 + x)] = 200;
    }
  }
  write_file(0, encode_png(image));
  write_file(1, encode_png(image));
  config_.validation = 0.5;
  const ImageData data = open();
  EXPECT_EQ(take(*data.validation, 0, 1)[0], std::vector<float>(kSide * kSide, 200 / 127.5F - 1));
}

TEST_F(BadImageFiles, ReplacesBadValidationFilesByTheNextAndTellsOfThem) {
  write_files(20);
  config_.validation = 0.5;
  const std::vector<int> before = levels_of(take(*open().validation, 0, 10));
  write_file(before[4], "");
  write_file(before[9], "");
  for (const int64_t loaders : {1, 3}) {
    config_.loaders = loaders;
    const ImageData data = open();
    std::vector<int> expected = before;
    expected[4] = before[5];
    expected[9] = before[0];
    for (int round = 0; round < 2; ++round) {
      EXPECT_EQ(levels_of(take(*data.validation, 0, 10, 4)), expected);
      EXPECT_EQ(data.training->bad().count, 2);
    }
    EXPECT_EQ(data.training->bad().sentences[0], "'" + path_of(before[4]) + "' is empty");
  }
}

}  // namespace
}  // namespace ebt
