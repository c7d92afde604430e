#include "ebt/eval/image_set.h"

#include <fmt/format.h>

#include <utility>

namespace ebt {
namespace {

class FileImageSet : public ImageSet {
 public:
  FileImageSet(std::shared_ptr<const ImageFiles> files, int64_t channels)
      : files_(std::move(files)), channels_(channels) {}

  int64_t count() const override { return files_->count(); }
  std::string name(int64_t index) const override { return files_->path(index); }
  Image read(int64_t index) override { return with_channels(files_->read(index), channels_); }

 private:
  std::shared_ptr<const ImageFiles> files_;
  int64_t channels_;
};

class ValidationImageSet : public ImageSet {
 public:
  ValidationImageSet(std::unique_ptr<ValidationImages> images, const Shape& shape)
      : images_(std::move(images)), shape_(shape), planes_(static_cast<size_t>(shape.count())) {}

  int64_t count() const override { return images_->count(); }
  std::string name(int64_t index) const override {
    return fmt::format("validation image {}", index);
  }
  Image read(int64_t index) override {
    images_->fill(index, {planes_.data(), {1, shape_[0], shape_[1], shape_[2]}});
    return from_planes({planes_.data(), shape_});
  }

 private:
  std::unique_ptr<ValidationImages> images_;
  Shape shape_;
  std::vector<float> planes_;
};

}  // namespace

std::unique_ptr<ImageSet> file_image_set(std::shared_ptr<const ImageFiles> files,
                                         int64_t channels) {
  return std::make_unique<FileImageSet>(std::move(files), channels);
}

std::unique_ptr<ImageSet> validation_image_set(std::unique_ptr<ValidationImages> images,
                                               int64_t channels, int64_t height, int64_t width) {
  return std::make_unique<ValidationImageSet>(std::move(images), Shape{channels, height, width});
}

std::vector<int64_t> spread_evenly(int64_t count, int64_t wanted) {
  const int64_t taken = wanted == 0 || wanted > count ? count : wanted;
  std::vector<int64_t> numbers;
  for (int64_t i = 0; i < taken; ++i) {
    numbers.push_back(i * count / taken);
  }
  return numbers;
}

}  // namespace ebt
