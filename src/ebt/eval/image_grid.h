// The table of denoising quality over forward passes, and its files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ebt/core/config_fields.h"
#include "ebt/eval/image_noise.h"
#include "ebt/eval/image_quality.h"

namespace ebt {

// What became of one image.
struct ImageScore {
  std::string image;  // its name
  ImageQuality quality;
  std::optional<double> energy;  // of the result, where the method has one
};

// One method on all images with one noise.
struct ImageRow {
  ImageNoise noise;
  std::string method;  // "EBT", "DiT", "noisy input", "non-local means"
  int64_t passes = 0;  // thinking steps of an EBT, passes of DiT; 0: no model took part
  std::vector<ImageScore> scores;
  double seconds = 0;  // of all images together; 0: not measured

  // Means over the images, of which there must be some.
  double psnr() const;
  double ssim() const;
  double mse() const;
  double unit_mse() const;
  std::optional<double> energy() const;
};

struct ImageGrid {
  std::string description;  // "1000 images of 'photos.tar'"
  std::vector<ImageRow> rows;
  int64_t bad_images = 0;  // could not be read, and are in no row
  std::vector<std::string> bad_sentences;

  // A table for people, ending in a line break.
  std::string to_table() const;
  // One object; "points" has a member for each row. A PSNR of equal images, which is infinite, is
  // null.
  Json to_json() const;
  // A header, and a line for each image of each row.
  std::string to_csv() const;
};

}  // namespace ebt
