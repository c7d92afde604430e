#include "ebt/train/video_task.h"

#include <algorithm>
#include <utility>

#include "ebt/core/work_watch.h"
#include "ebt/data/even_choice.h"

namespace ebt {

template <class T>
VideoData VideoTask<T>::begin(VideoTrainConfig& config) {
  config.data.check();
  VideoData data;
  data.clips = std::make_shared<Clips>(config.data.data);
  config.model.width = data.clips->width();
  return data;
}

template <class T>
void VideoTask<T>::open(const VideoTrainConfig& config, VideoData& data) {
  if (data.clips == nullptr) {
    data.clips = std::make_shared<Clips>(config.data.data);
  }
  cut_clips(config.data, config.model.width, config.model.context, data);
}

template <class T>
std::string VideoTask<T>::change_text(const VideoData& /*data*/, const DataIdentity& /*trained_on*/,
                                      const VideoTrainConfig& config,
                                      const std::filesystem::path& folder) {
  return fmt::format("the clips of '{}' are no longer those that '{}' was trained on",
                     config.data.data, folder.string());
}

template <class T>
size_t VideoTask<T>::model_bytes(const VideoTrainConfig& config) {
  return video_model_bytes<T>(config.model, config.thinking, config.run.micro_batch,
                              engine_options<T>(config.run));
}

template <class T>
double VideoTask<T>::working_bytes(const VideoTrainConfig& config) {
  const VideoModelConfig& model = config.model;
  const int64_t rows = config.run.micro_batch;
  const int64_t keys = model.context + model.lead();
  return static_cast<double>(sizeof(T)) *
             static_cast<double>(rows * (model.context + 1) * model.width) +
         attention_bytes(rows * model.heads, model.context, keys, model.head_width()) +
         widened_bytes(config.run.precision, rows * model.context, 2 * model.ffn_width());
}

template <class T>
std::string VideoTask<T>::what_to_lower(const VideoTrainConfig& config) {
  return fmt::format("micro-batch ({}), context ({}) or the size of the model",
                     config.run.micro_batch, config.model.context);
}

template <class T>
std::unique_ptr<VideoModel<T>> VideoTask<T>::make_model(const VideoTrainConfig& config) {
  auto made = make_video_model<T>(config.model, config.thinking, config.run.micro_batch,
                                  engine_options<T>(config.run));
  initialize_weights(*made, config.thinking, config.run.seed);
  return made;
}

template <class T>
VideoTask<T>::VideoTask(const VideoTrainConfig& config, VideoData data)
    : config_(config),
      data_(std::move(data)),
      order_(config.run.seed, data_.training->count()),
      frames_(static_cast<size_t>(config.run.micro_batch * (config.model.context + 1) *
                                  config.model.width)) {}

template <class T>
template <class Number>
ClipRows<T> VideoTask<T>::rows(const ClipWindows& windows, int64_t first, int64_t count, int64_t of,
                               const Number& number) {
  const int64_t context = config_.model.context;
  const int64_t width = config_.model.width;
  const Tensor<T> frames{frames_.data(), {count, context + 1, width}};
  for (int64_t row = 0; row < count; ++row) {
    windows.read(number(first + row), frames.slice(row, 1).reshape({context + 1, width}));
  }
  return {frames, first, 1.0 / static_cast<double>(of * context)};
}

// Every window once an epoch, in an order of its own.
template <class T>
double VideoTask<T>::add_gradients(VideoModel<T>& model, int64_t step, VideoLosses& measured) {
  const int64_t batch = config_.run.batch;
  const int64_t windows = data_.training->count();
  work_in_parts(batch, config_.run.micro_batch, [&](int64_t first, int64_t count) {
    const ClipRows<T> part = rows(*data_.training, first, count, batch, [&](int64_t row) {
      const int64_t number = step * batch + row;
      return order_.at(number / windows, number % windows);
    });
    measured.add(model.train(part, config_.run.seed, static_cast<uint64_t>(step)));
  });
  return measured.loss();
}

// Windows are spread evenly over those kept for validation.
template <class T>
VideoLosses VideoTask<T>::validate(VideoModel<T>& model) {
  const int64_t available = data_.validation->count();
  const int64_t total = limited(config_.run.validation_windows, available);
  VideoLosses measured;
  work_in_parts(total, config_.run.micro_batch, [&](int64_t first, int64_t count) {
    const ClipRows<T> part = rows(*data_.validation, first, count, total,
                                  [&](int64_t row) { return spread_place(row, total, available); });
    measured.add(model.evaluate(part, config_.run.seed, 0, {}));
  });
  return measured;
}

template class VideoTask<float>;
template class VideoTask<double>;
template class Trainer<VideoTask<float>>;
template class Trainer<VideoTask<double>>;

}  // namespace ebt
