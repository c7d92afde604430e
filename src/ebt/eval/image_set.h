// The images of an evaluation, one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ebt/data/image/image_data.h"

namespace ebt {

class ImageSet {
 public:
  virtual ~ImageSet() = default;
  virtual int64_t count() const = 0;
  // What tables call it: its path within the source.
  virtual std::string name(int64_t index) const = 0;
  // With the set's channels. Throws Error for a bad file, which says its path.
  virtual Image read(int64_t index) = 0;
};

// All files of a source, whole.
std::unique_ptr<ImageSet> file_image_set(std::shared_ptr<const ImageFiles> files, int64_t channels);
// The images (C, height, width) that training keeps for validation.
std::unique_ptr<ImageSet> validation_image_set(std::unique_ptr<ValidationImages> images,
                                               int64_t channels, int64_t height, int64_t width);

// `wanted` numbers spread evenly over 0 .. count - 1, as i * count / wanted; all of them where
// `wanted` is 0 or more than there are.
std::vector<int64_t> spread_evenly(int64_t count, int64_t wanted);

}  // namespace ebt
