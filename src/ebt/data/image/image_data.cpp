#include "ebt/data/image/image_data.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/data/image/dead_leaves.h"
#include "ebt/data/image/image_stream.h"
#include "ebt/data/image/sampled_files.h"
#include "ebt/io/checksum.h"

namespace ebt {
namespace {

constexpr int64_t kEndless = std::numeric_limits<int64_t>::max();
constexpr int64_t kMostLoaders = 256;

}  // namespace

int64_t images_ahead(int64_t size, int64_t loaders) {
  constexpr int64_t kMostImages = 512;
  constexpr int64_t kMost_bytes = 64 << 20;
  return std::max(std::min(kMostImages, kMost_bytes / size), loaders);
}

namespace {

using MakeImage = std::function<StreamedImage(int64_t)>;

// What images are to be.
struct Format {
  int64_t channels = 0;
  int64_t height = 0;
  int64_t width = 0;
  int64_t size() const { return channels * height * width; }
};

// A stream of images as planes.
class PlaneStream {
 public:
  // `files` are those that images are made of, if any.
  PlaneStream(MakeImage make, int64_t end, int64_t loaders, Format format,
              std::shared_ptr<CheckedFiles> files)
      : format_(format),
        files_(std::move(files)),
        stream_(std::move(make), end, loaders, images_ahead(format.size(), loaders)) {}

  void fill(int64_t first, Tensor<float> images) {
    const Shape& shape = images.shape;
    EBT_CHECK(shape.rank() == 4 && shape[1] == format_.channels && shape[2] == format_.height &&
                  shape[3] == format_.width,
              "images: a tensor of shape {} cannot hold images of shape ({},{},{})",
              shape.to_string(), format_.channels, format_.height, format_.width);
    for (int64_t i = 0; i < shape[0]; ++i) {
      const StreamedImage taken = stream_.take(first + i);
      if (!taken.bad_files.empty()) {
        files_->tell(taken.bad_files);
      }
      to_planes(
          with_channels(taken.image, format_.channels), 0, 0,
          {images.data + i * format_.size(), {format_.channels, format_.height, format_.width}});
    }
  }
  BadImages bad() const { return files_ == nullptr ? BadImages{} : files_->told(); }

 private:
  Format format_;
  std::shared_ptr<CheckedFiles> files_;
  ImageStream stream_;
};

class StreamedTraining : public TrainingImages {
 public:
  StreamedTraining(MakeImage make, int64_t loaders, Format format,
                   std::shared_ptr<CheckedFiles> files)
      : stream_(std::move(make), kEndless, loaders, format, std::move(files)) {}

  void fill(int64_t first, Tensor<float> images) override { stream_.fill(first, images); }
  BadImages bad() const override { return stream_.bad(); }

 private:
  PlaneStream stream_;
};

class StreamedValidation : public ValidationImages {
 public:
  StreamedValidation(MakeImage make, int64_t count, int64_t loaders, Format format,
                     std::shared_ptr<CheckedFiles> files)
      : count_(count), stream_(std::move(make), count, loaders, format, std::move(files)) {}

  int64_t count() const override { return count_; }
  void fill(int64_t first, Tensor<float> images) override {
    EBT_CHECK(first >= 0 && images.shape.rank() == 4 && first <= count_ - images.dim(0),
              "images: {} from number {} on were asked for, of {} for validation",
              images.shape.to_string(), first, count_);
    stream_.fill(first, images);
  }

 private:
  int64_t count_;
  PlaneStream stream_;
};

ImageData open_files(const ImageDataConfig& config, Format format, uint64_t seed) {
  const auto files = open_image_files(config.data, config.within);
  const auto checked = std::make_shared<CheckedFiles>(files);
  const std::vector<bool> for_validation = validation_files(files->count(), config.validation);
  std::vector<int64_t> training;
  std::vector<int64_t> validation;
  for (int64_t file = 0; file < files->count(); ++file) {
    (for_validation[static_cast<size_t>(file)] ? validation : training).push_back(file);
  }
  EBT_CHECK(!training.empty(), "'{}' has {} images, and all are kept for validation", config.data,
            files->count());
  ImageData data;
  data.fingerprint = files->fingerprint();
  data.training_files = static_cast<int64_t>(training.size());
  const auto validation_count = static_cast<int64_t>(validation.size());
  const auto train = std::make_shared<TrainingFiles>(checked, std::move(training), config.flip,
                                                     format.height, format.width, seed);
  const auto validate = std::make_shared<ValidationFiles>(checked, std::move(validation),
                                                          format.height, format.width);
  data.training = std::make_unique<StreamedTraining>(
      [train](int64_t number) { return train->make(number); }, config.loaders, format, checked);
  data.validation = std::make_unique<StreamedValidation>(
      [validate](int64_t number) { return validate->make(number); }, validation_count,
      config.loaders, format, checked);
  return data;
}

ImageData open_dead_leaves(const ImageDataConfig& config, Format format, uint64_t seed) {
  // One set for all seeds, so that runs can be compared, far from what training sees.
  constexpr uint64_t kValidationSeed = 0;
  constexpr int64_t kFirstForValidation = int64_t{1} << 48U;
  constexpr int64_t kValidationImages = 512;
  const auto drawing = [format](uint64_t of_seed, int64_t first) {
    return [format, of_seed, first](int64_t number) {
      return StreamedImage{
          draw_dead_leaves(of_seed, first + number, format.channels, format.height, format.width),
          {}};
    };
  };
  Checksum sum;
  sum.add(std::string_view("dead leaves"));
  ImageData data;
  data.fingerprint = sum.value();
  data.training =
      std::make_unique<StreamedTraining>(drawing(seed, 0), config.loaders, format, nullptr);
  data.validation = std::make_unique<StreamedValidation>(
      drawing(kValidationSeed, kFirstForValidation), config.validation > 0 ? kValidationImages : 0,
      config.loaders, format, nullptr);
  return data;
}

}  // namespace

void ImageDataConfig::check() const {
  EBT_CHECK(!data.empty() || within.empty(),
            "--within: '{}' is part of no path without --data: dead leaves have none", within);
  // Also refuses what is not a number.
  EBT_CHECK(validation >= 0 && validation < 1, "--validation: {} is not in [0, 1)", validation);
  EBT_CHECK(loaders >= 1 && loaders <= kMostLoaders, "--loaders: {} is not between 1 and {}",
            loaders, kMostLoaders);
}

ImageData open_image_data(const ImageDataConfig& config, int64_t channels, int64_t height,
                          int64_t width, uint64_t seed) {
  config.check();
  EBT_CHECK(channels == 1 || channels == 3, "images: {} channels are neither grey nor RGB",
            channels);
  EBT_CHECK(height > 0 && width > 0 && height <= kMaxImagePixels / width,
            "images: cannot cut {} x {} pixels", width, height);
  const Format format{channels, height, width};
  return config.data.empty() ? open_dead_leaves(config, format, seed)
                             : open_files(config, format, seed);
}

}  // namespace ebt
