#include "ebt/train/video_train_config.h"

#include "ebt/core/error.h"

namespace ebt {

void VideoRunConfig::check() const {
  RunSettings::check();
  EBT_CHECK(validation_windows >= 0, "--validation-windows: {} is negative", validation_windows);
}

void VideoTrainConfig::check() const {
  constexpr int64_t kMostValues = int64_t{1} << 32;
  model.check();
  if (model.arch == Architecture::kEbt) {
    thinking.check();
  }
  optimizer.check();
  data.check();
  run.check();
  EBT_CHECK(run.batch <= kMostValues / (model.context + 1) / model.width,
            "--batch: {} windows of {} x {} values are more than {} values in one step", run.batch,
            model.context + 1, model.width, kMostValues);
}

VideoTrainConfig VideoTrainConfig::resolved() const {
  VideoTrainConfig result = *this;
  result.run.resolve(default_learning_rate(model), result.optimizer);
  result.data.data = absolute_path(data.data);
  return result;
}

}  // namespace ebt
