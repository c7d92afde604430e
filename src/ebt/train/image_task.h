// Training on images: noise is added to them, to be undone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "ebt/data/image/image_data.h"
#include "ebt/model/image_model.h"
#include "ebt/train/image_losses.h"
#include "ebt/train/image_train_config.h"
#include "ebt/train/trainer.h"

namespace ebt {

template <class T>
class ImageTask {
 public:
  using Scalar = T;
  using Config = ImageTrainConfig;
  using Model = ImageModel<T>;
  using Measured = ImageLosses;
  using Data = ImageData;

  static ImageData begin(ImageTrainConfig& /*config*/) { return {}; }
  static ImageData load(const std::filesystem::path& /*folder*/) { return {}; }
  static void open(const ImageTrainConfig& config, ImageData& data);
  static DataIdentity identity(const ImageData& data) {
    return {{"image_fingerprint", data.fingerprint}};
  }
  static std::string change_text(const ImageData& data, const DataIdentity& trained_on,
                                 const ImageTrainConfig& config,
                                 const std::filesystem::path& folder);
  static void save(const ImageData& /*data*/, const std::filesystem::path& /*folder*/) {}

  static size_t model_bytes(const ImageTrainConfig& config);
  static double working_bytes(const ImageTrainConfig& config);
  static size_t data_bytes(const ImageData& /*data*/) { return 0; }
  static std::string what_to_lower(const ImageTrainConfig& config);
  static std::unique_ptr<ImageModel<T>> make_model(const ImageTrainConfig& config);

  ImageTask(const ImageTrainConfig& config, ImageData data);

  const ImageData& data() const { return data_; }
  // Training images that could not be read so far.
  BadImages bad_images() const { return data_.training->bad(); }

  double add_gradients(ImageModel<T>& model, int64_t step, ImageLosses& measured);
  void learned() {}
  bool has_validation() const { return data_.validation->count() > 0; }
  ImageLosses validate(ImageModel<T>& model);
  ReplayBuffer<T>* replay() { return nullptr; }

 private:
  // The first `count` images of the buffer, as a model takes them.
  Tensor<const T> images(int64_t count);
  // The same memory, or that of pixels before they are converted, for data to fill.
  Tensor<float> pixels(int64_t count);

  ImageTrainConfig config_;
  ImageData data_;
  std::vector<float> pixels_;  // (micro-batch, C, H, W)
  std::vector<T> converted_;   // the same where T is no float
};

template <class T>
using ImageTrainer = Trainer<ImageTask<T>>;
using ImageStepReport = StepReport<ImageLosses>;
using ImageValidationReport = ValidationReport<ImageLosses>;
using ImageObserver = RunObserver<ImageStepReport, ImageValidationReport>;

extern template class ImageTask<float>;
extern template class ImageTask<double>;
extern template class Trainer<ImageTask<float>>;
extern template class Trainer<ImageTask<double>>;

}  // namespace ebt
