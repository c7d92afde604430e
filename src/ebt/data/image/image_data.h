// The images that an image model is trained and tested on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ebt/core/tensor.h"
#include "ebt/data/image/image.h"

namespace ebt {

// What images are read, and how they are cut.
struct ImageDataConfig {
  // A folder, a .tar, also compressed, a .txt that lists files, one a line, or empty: dead leaves,
  // images that are drawn as they are needed (Lee, Mumford and Huang, 2001).
  std::string data;
  std::string within;       // only files whose path in `data` begins with this
  double validation = 0.1;  // share of the files kept for validation
  bool flip = true;         // mirror half of the training images
  int64_t loaders = 2;      // background threads that decode

  // Throws Error naming the first impossible field.
  void check() const;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("data", data,
          "a folder, a .tar (also as .gz and .zst; - is standard input), or a .txt that lists PNG "
          "and "
          "JPEG files; default: dead leaves, drawn as they are needed");
    visit("within", within, "only files whose path in the data begins with this, as in train/");
    visit("validation", validation, "share of the files kept for validation");
    visit("flip", flip, "mirror half of the training images");
    visit("loaders", loaders, "background threads that decode images");
  }
};

// Images that background threads make before they are taken, for images of `size` bytes: a few
// batches of small ones; of large ones what fits in 64 MiB, and one for each thread.
int64_t images_ahead(int64_t size, int64_t loaders);

// Where files lie; opening it lists them and reads none. Thread-safe.
class ImageFiles {
 public:
  virtual ~ImageFiles() = default;
  virtual int64_t count() const = 0;
  // Path within the source, in the order of paths.
  virtual const std::string& path(int64_t index) const = 0;
  // Decoded. Throws Error for a bad file, which says its path.
  virtual Image read(int64_t index) const = 0;
  // Changes when the list of files does: what a run stores to notice that its data changed.
  uint64_t fingerprint() const;
};
// Throws Error when the source cannot be listed, or holds no PNG or JPEG within `within`.
std::shared_ptr<const ImageFiles> open_image_files(const std::string& data,
                                                   const std::string& within);

// Those of the files whose path begins with `within`. Throws Error when there is none.
std::shared_ptr<const ImageFiles> files_within(std::shared_ptr<const ImageFiles> files,
                                               const std::string& within);

// The class of a file, for probes: the folder it lies in where files lie in several, else its name
// up to the last '_' or '-' ("truck_0566.jpg" is a truck).
std::vector<std::string> image_labels(const ImageFiles& files);

// Files that could not be read and stood in the way of an image filled in so far, for training or
// validation. What threads in the background met beyond it is not told yet, so that two runs tell
// the same at the same place.
struct BadImages {
  int64_t count = 0;                   // each file once
  std::vector<std::string> sentences;  // of the first five
};

// An endless stream of training images (C, height, width): every file once an epoch, in an order,
// crop and mirroring that follow from the seed and the image's place in the stream alone. Smaller
// images than the crop are enlarged (in proportion, bilinearly), larger ones cut. A bad file's
// place is taken by another's, chosen likewise. Background threads decode what comes next: at most
// 64 MiB of it, or one image for each. Not thread-safe.
class TrainingImages {
 public:
  virtual ~TrainingImages() = default;
  // images (B, C, H, W), pixels in [-1, 1]: numbers first .. first + B of the stream. Fastest when
  // asked in order. Throws Error when no file can be read.
  virtual void fill(int64_t first, Tensor<float> images) = 0;
  virtual BadImages bad() const = 0;
};

// A fixed set of images: the centre of every file, that of the next file in place of a bad one. Not
// thread-safe.
class ValidationImages {
 public:
  virtual ~ValidationImages() = default;
  virtual int64_t count() const = 0;
  // images (B, C, H, W), pixels in [-1, 1]: numbers first .. first + B of the count(). Throws Error
  // when they are not among these, or no file can be read.
  virtual void fill(int64_t first, Tensor<float> images) = 0;
};

struct ImageData {
  std::unique_ptr<TrainingImages> training;
  std::unique_ptr<ValidationImages> validation;  // count() may be 0
  uint64_t fingerprint = 0;                      // of the files; of dead leaves, a constant
  int64_t training_files = 0;                    // 0: endless
};
// Opens data for images of (channels, height, width); channels are 1 or 3. Which files are for
// validation follows from their number and the share alone: they are spread evenly over the order
// of paths, and at least one of two. Throws Error as open_image_files, for impossible configs, and
// when none is left for training.
ImageData open_image_data(const ImageDataConfig& config, int64_t channels, int64_t height,
                          int64_t width, uint64_t seed);

}  // namespace ebt
