#include "ebt/train/image_train_config.h"

#include "ebt/core/error.h"

namespace ebt {

void ImageRunConfig::check() const {
  RunSettings::check();
  EBT_CHECK(validation_images >= 0, "--validation-images: {} is negative", validation_images);
}

void ImageTrainConfig::check() const {
  constexpr int64_t kMostValues = int64_t{1} << 32;
  model.check();
  thinking.check();
  noise.check();
  optimizer.check();
  data.check();
  run.check();
  EBT_CHECK(run.batch <= kMostValues / model.image_size(),
            "--batch: {} images of {} values are more than {} values in one step", run.batch,
            model.image_size(), kMostValues);
}

ImageTrainConfig ImageTrainConfig::resolved() const {
  ImageTrainConfig result = *this;
  result.run.resolve(default_learning_rate(model), result.optimizer);
  result.data.data = absolute_path(data.data);
  return result;
}

}  // namespace ebt
