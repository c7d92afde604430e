#include "ebt/eval/image_probe.h"

#include <gtest/gtest.h>

#include "tests/support/error_text.h"
#include "tests/support/image_set.h"

namespace ebt {
namespace {

using testing::error_text;
using testing::MemoryImageFiles;
using testing::waves;

Image flat(uint8_t value) { return {8, 8, 3, std::vector<uint8_t>(192, value)}; }

MemoryImageFiles animals() {
  MemoryImageFiles files;
  for (int i = 0; i < 6; ++i) {
    files.add("cat_" + std::to_string(i) + ".png", flat(static_cast<uint8_t>(10 * i)));
  }
  for (int i = 0; i < 4; ++i) {
    files.add("dog_" + std::to_string(i) + ".png", flat(static_cast<uint8_t>(200 + 10 * i)));
  }
  return files;
}

ImageModelConfig small_config() {
  ImageModelConfig config;
  config.image_height = 8;
  config.image_width = 8;
  return config;
}

TEST(LabelledFiles, HaveTheClassesThatTheirNamesSay) {
  const MemoryImageFiles files = animals();
  const LabelledFiles labelled = label_files(files, {});
  EXPECT_EQ(labelled.names, (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(labelled.classes, (std::vector<int32_t>{0, 0, 0, 0, 0, 0, 1, 1, 1, 1}));
  EXPECT_EQ(label_files(files, {"bird", "dog", "cat"}).classes[0], 2);
  EXPECT_EQ(error_text([&] { label_files(files, {"cat"}); }),
            "'dog_0.png' is of class 'dog', of which there are no images to learn from");
}

// The folders of a source, as "training + test"; none.
std::string splits_of(const std::vector<std::string>& paths) {
  MemoryImageFiles files;
  for (const std::string& path : paths) {
    files.add(path, flat(0));
  }
  const auto split = split_folders(files);
  return split ? split->training + " + " + split->test : "none";
}

TEST(SplitFolders, AreThoseOfADataSetAndNotOfClasses) {
  EXPECT_EQ(splits_of({"test/a_1.png", "train/a_1.png"}), "train/ + test/");
  EXPECT_EQ(splits_of({"set/test/a/1.png", "set/train/a/1.png", "set/val/b/1.png"}),
            "set/train/ + set/test/");
  EXPECT_EQ(splits_of({"Training/a/1.png", "VALID/a/1.png"}), "Training/ + VALID/");
  EXPECT_EQ(splits_of({"car/1.png", "plane/1.png", "train/1.png"}), "none");
  EXPECT_EQ(splits_of({"test/1.png", "train/1.png", "1.png"}), "none");
  EXPECT_EQ(splits_of({"train/a/1.png", "train/b/1.png"}), "none");
  EXPECT_EQ(splits_of({"a/1.png", "b/1.png"}), "none");
  EXPECT_EQ(splits_of({"a.png"}), "none");
}

TEST(LabelledFiles, AreHeldOutEvenly) {
  LabelledFiles files = label_files(animals(), {});
  const LabelledFiles held = hold_out(files, 0.3);
  EXPECT_EQ(held.files, (std::vector<int64_t>{3, 6, 9}));
  EXPECT_EQ(held.classes, (std::vector<int32_t>{0, 1, 1}));
  EXPECT_EQ(files.files, (std::vector<int64_t>{0, 1, 2, 4, 5, 7, 8}));
  EXPECT_EQ(take_evenly(files, 2).files, (std::vector<int64_t>{0, 4}));
  EXPECT_EQ(take_evenly(files, 0).files, files.files);
  EXPECT_EQ(error_text([&] { hold_out(files, 0.1); }),
            "holding out a share of 0.1 leaves 7 images to learn from and 0 to test with");
}

TEST(GatherFeatures, AsksEverySourceForEveryImage) {
  MemoryImageFiles files = animals();
  files.add("dog_9.png", {});
  int64_t most = 0;
  const FeatureSource first{"first", 2, [&](Tensor<const float> images, Tensor<float> features) {
                              most = std::max(most, images.dim(0));
                              for (int64_t i = 0; i < images.dim(0); ++i) {
                                features[2 * i] = images[i * 192];
                                features[2 * i + 1] = 1;
                              }
                            }};
  BadImages bad;
  int64_t done = 0;
  const std::vector<ProbeData> data =
      gather_features(files, label_files(files, {}), small_config(), 4,
                      {first, pixel_source(small_config())}, bad, [&](int64_t n) { done = n; });
  ASSERT_EQ(data.size(), 2U);
  EXPECT_EQ(most, 4);
  EXPECT_EQ(done, 11);
  EXPECT_EQ(bad.count, 1);
  EXPECT_EQ(bad.sentences, (std::vector<std::string>{"'dog_9.png': damaged"}));
  EXPECT_EQ(data[0].count(), 10);
  EXPECT_EQ(data[0].classes, data[1].classes);
  EXPECT_EQ(data[1].width, 192);
  for (int64_t i = 0; i < 10; ++i) {
    const float value = static_cast<float>(i < 6 ? 10 * i : 200 + 10 * (i - 6)) / 127.5F - 1;
    EXPECT_NEAR(data[0].features[static_cast<size_t>(2 * i)], value, 1e-6);
    EXPECT_NEAR(data[1].features[static_cast<size_t>(192 * i + 100)], value, 1e-6);
  }
}

TEST(GatherFeatures, NeedsAnImage) {
  MemoryImageFiles files;
  files.add("cat_1.png", {});
  BadImages bad;
  EXPECT_EQ(error_text([&] {
              gather_features(files, label_files(files, {}), small_config(), 4,
                              {pixel_source(small_config())}, bad, nullptr);
            }),
            "none of 1 images could be read: 'cat_1.png': damaged");
}

TEST(PixelSource, AveragesLargeImagesDown) {
  ImageModelConfig config;
  config.image_height = 64;
  config.image_width = 40;
  const FeatureSource source = pixel_source(config);
  EXPECT_EQ(source.width, 3 * 32 * 20);
  std::vector<float> image(3 * 64 * 40);
  image[40 + 3] = 4;  // row 1, column 3
  std::vector<float> features(static_cast<size_t>(source.width), 9.0F);
  source.run({image.data(), {1, 3, 64, 40}}, {features.data(), {1, source.width}});
  EXPECT_EQ(features[1], 1) << "a quarter of its 2 x 2 pixels";
  EXPECT_EQ(features[0], 0);
  EXPECT_EQ(features.back(), 0);
}

}  // namespace
}  // namespace ebt
