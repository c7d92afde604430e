// Images in memory, for tests of what is measured on images.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "ebt/core/error.h"
#include "ebt/eval/image_set.h"

namespace ebt::testing {

// Smooth waves of colour, different for every seed.
inline Image waves(int64_t height, int64_t width, int64_t channels, uint32_t seed) {
  Image image{height, width, channels, {}};
  std::mt19937 generator(seed);
  const double period = 6 + static_cast<double>(generator() % 9);
  const double phase = static_cast<double>(generator() % 100);
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      for (int64_t channel = 0; channel < channels; ++channel) {
        const double place = static_cast<double>(x + (channel + 1) * y);
        image.pixels.push_back(
            static_cast<uint8_t>(127.5 + 100 * std::sin(phase + place / period)));
      }
    }
  }
  return image;
}

// An image without pixels stands for a file that cannot be read.
class MemoryImageSet : public ImageSet {
 public:
  explicit MemoryImageSet(std::vector<Image> images) : images_(std::move(images)) {}

  int64_t count() const override { return static_cast<int64_t>(images_.size()); }
  std::string name(int64_t index) const override { return "image " + std::to_string(index); }
  Image read(int64_t index) override {
    const Image& image = images_[static_cast<size_t>(index)];
    EBT_CHECK(!image.pixels.empty(), "{}: damaged", name(index));
    return image;
  }

 private:
  std::vector<Image> images_;
};

// The same as files, which also have classes.
class MemoryImageFiles : public ImageFiles {
 public:
  void add(std::string path, Image image) {
    paths_.push_back(std::move(path));
    images_.push_back(std::move(image));
  }

  int64_t count() const override { return static_cast<int64_t>(paths_.size()); }
  const std::string& path(int64_t index) const override {
    return paths_[static_cast<size_t>(index)];
  }
  Image read(int64_t index) const override {
    const Image& image = images_[static_cast<size_t>(index)];
    EBT_CHECK(!image.pixels.empty(), "'{}': damaged", path(index));
    return image;
  }

 private:
  std::vector<std::string> paths_;
  std::vector<Image> images_;
};

}  // namespace ebt::testing
