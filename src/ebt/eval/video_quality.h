// How well a model of video foretells frames, after every thinking step.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ebt/core/config_fields.h"
#include "ebt/data/video/clip_windows.h"
#include "ebt/model/video_model.h"

namespace ebt {

struct VideoScores {
  struct Score {
    double smooth_l1 = 0;  // mean over frames and their values
    double cosine = 0;     // similarity to the frame that came, mean over frames
  };
  int64_t windows = 0;
  int64_t frames = 0;          // foretold
  Score last_frame;            // of repeating the frame before
  std::vector<Score> by_step;  // one of a baseline

  Json to_json() const;
  std::string to_table() const;
};

// Measures every window, `batch` at a time, `steps` thinking steps long (0: as many as in
// training). Tells the share that is done.
VideoScores measure_video(VideoModel<float>& model, const ClipWindows& windows, int64_t steps,
                          int64_t batch, uint64_t seed,
                          const std::function<void(double)>& progress);

}  // namespace ebt
