// Streams of images of which each is a grey level, its file's number.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "ebt/data/image/image_data.h"
#include "tests/support/temporary_folder.h"

namespace ebt::testing {

inline constexpr int64_t kSide = 4;

// Images of a stream as they are filled in, a vector each.
template <class Images>
std::vector<std::vector<float>> take(Images& images, int64_t first, int64_t count,
                                     int64_t batch = 7, int64_t channels = 1,
                                     int64_t side = kSide) {
  std::vector<std::vector<float>> result;
  for (int64_t done = 0; done < count; done += batch) {
    const int64_t rows = std::min(batch, count - done);
    const int64_t size = channels * side * side;
    std::vector<float> values(static_cast<size_t>(rows * size));
    images.fill(first + done, {values.data(), {rows, channels, side, side}});
    for (int64_t i = 0; i < rows; ++i) {
      result.emplace_back(values.begin() + i * size, values.begin() + (i + 1) * size);
    }
  }
  return result;
}

// The grey level of an image's first pixel.
inline int level_of(const std::vector<float>& image) {
  return static_cast<int>(std::lround((image[0] + 1) * 127.5F));
}

inline std::vector<int> levels_of(const std::vector<std::vector<float>>& images) {
  std::vector<int> levels;
  for (const std::vector<float>& image : images) {
    levels.push_back(level_of(image));
  }
  return levels;
}

class ImageDataFixture : public ::testing::Test {
 protected:
  // Files 00.png, 01.png ..., each of one grey level, its number.
  void write_files(int count) {
    for (int i = 0; i < count; ++i) {
      write_file(i, encode_png({kSide, kSide, 1,
                                std::vector<uint8_t>(kSide * kSide, static_cast<uint8_t>(i))}));
    }
  }
  void write_file(int number, const std::string& bytes) {
    folder_.write(fmt::format("{:02}.png", number), bytes);
  }
  std::string path_of(int number) { return folder_.file(fmt::format("{:02}.png", number)); }
  ImageData open(uint64_t seed = 1) { return open_image_data(config_, 1, kSide, kSide, seed); }

  TemporaryFolder folder_;
  ImageDataConfig config_{.data = folder_.path().string(), .within = "", .validation = 0};
};

}  // namespace ebt::testing
