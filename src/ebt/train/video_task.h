// Training on video: windows of clips, each frame to be foretold from those before it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "ebt/data/shuffled_order.h"
#include "ebt/data/video/clip_windows.h"
#include "ebt/model/video_model.h"
#include "ebt/train/trainer.h"
#include "ebt/train/video_losses.h"
#include "ebt/train/video_train_config.h"

namespace ebt {

template <class T>
class VideoTask {
 public:
  using Scalar = T;
  using Config = VideoTrainConfig;
  using Model = VideoModel<T>;
  using Measured = VideoLosses;
  using Data = VideoData;

  // Opens the clips: the model's width is that of their frames.
  static VideoData begin(VideoTrainConfig& config);
  static VideoData load(const std::filesystem::path& /*folder*/) { return {}; }
  static void open(const VideoTrainConfig& config, VideoData& data);
  static DataIdentity identity(const VideoData& data) {
    return {{"clip_fingerprint", data.clips->fingerprint()}};
  }
  static std::string change_text(const VideoData& data, const DataIdentity& trained_on,
                                 const VideoTrainConfig& config,
                                 const std::filesystem::path& folder);
  static void save(const VideoData& /*data*/, const std::filesystem::path& /*folder*/) {}

  static size_t model_bytes(const VideoTrainConfig& config);
  static double working_bytes(const VideoTrainConfig& config);
  static size_t data_bytes(const VideoData& /*data*/) { return 0; }
  static std::string what_to_lower(const VideoTrainConfig& config);
  static std::unique_ptr<VideoModel<T>> make_model(const VideoTrainConfig& config);

  VideoTask(const VideoTrainConfig& config, VideoData data);

  const VideoData& data() const { return data_; }

  double add_gradients(VideoModel<T>& model, int64_t step, VideoLosses& measured);
  void learned() {}
  bool has_validation() const { return data_.validation->count() > 0; }
  VideoLosses validate(VideoModel<T>& model);
  ReplayBuffer<T>* replay() { return nullptr; }

 private:
  // Fills the buffer with windows[number(i)] for i from 0 to `count`.
  template <class Number>
  ClipRows<T> rows(const ClipWindows& windows, int64_t first, int64_t count, int64_t of,
                   const Number& number);

  VideoTrainConfig config_;
  VideoData data_;
  ShuffledOrder order_;
  std::vector<T> frames_;  // (micro-batch, S + 1, D)
};

template <class T>
using VideoTrainer = Trainer<VideoTask<T>>;

extern template class VideoTask<float>;
extern template class VideoTask<double>;
extern template class Trainer<VideoTask<float>>;
extern template class Trainer<VideoTask<double>>;

}  // namespace ebt
