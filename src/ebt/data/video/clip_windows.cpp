#include "ebt/data/video/clip_windows.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ebt/core/config_check.h"
#include "ebt/data/even_choice.h"

namespace ebt {

void VideoDataConfig::check() const {
  EBT_CHECK(!data.empty(), "--data is missing: name a folder of clips");
  check_share("--validation", validation);
}

ClipWindows::ClipWindows(std::shared_ptr<const Clips> clips, std::vector<int64_t> chosen,
                         int64_t context)
    : clips_(std::move(clips)), chosen_(std::move(chosen)), context_(context) {
  first_windows_.reserve(chosen_.size());
  for (const int64_t clip : chosen_) {
    const int64_t frames = clips_->frames(clip);
    EBT_CHECK(
        frames > context,
        "{} has {} frames, and a context of {} and the frame after it are {}: lower --context, "
        "or take the clip out",
        clips_->name(clip), frames, context, context + 1);
    first_windows_.push_back(count_);
    count_ += (frames - 1 + context - 1) / context;
  }
}

template <class T>
void ClipWindows::read(int64_t window, Tensor<T> frames) const {
  EBT_CHECK(window >= 0 && window < count_, "clips: window {} was asked for, of {}", window,
            count_);
  const auto next = std::upper_bound(first_windows_.begin(), first_windows_.end(), window);
  const auto place = static_cast<size_t>(next - first_windows_.begin() - 1);
  const int64_t clip = chosen_[place];
  const int64_t first =
      std::min((window - first_windows_[place]) * context_, clips_->frames(clip) - context_ - 1);
  clips_->read(clip, first, frames);
}

void cut_clips(const VideoDataConfig& config, int64_t width, int64_t context, VideoData& data) {
  EBT_CHECK(data.clips->width() == width,
            "'{}' holds frames of {} numbers, and the model is of frames of {}", config.data,
            data.clips->width(), width);
  const int64_t count = data.clips->count();
  int64_t kept = std::llround(config.validation * static_cast<double>(count));
  if (config.validation > 0 && count > 1) {
    kept = std::max<int64_t>(kept, 1);
  }
  EBT_CHECK(kept < count, "'{}' has {} clips, and all are kept for validation", config.data, count);
  std::vector<int64_t> training;
  std::vector<int64_t> validation;
  const std::vector<bool> keep = choose_evenly(kept, count);
  for (int64_t clip = 0; clip < count; ++clip) {
    (keep[static_cast<size_t>(clip)] ? validation : training).push_back(clip);
  }
  data.training = std::make_shared<ClipWindows>(data.clips, std::move(training), context);
  data.validation = std::make_shared<ClipWindows>(data.clips, std::move(validation), context);
}

template void ClipWindows::read(int64_t, Tensor<float>) const;
template void ClipWindows::read(int64_t, Tensor<double>) const;

}  // namespace ebt
