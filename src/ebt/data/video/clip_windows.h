// Windows of clips: what a model of video is trained and measured on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ebt/data/video/clips.h"

namespace ebt {

struct VideoDataConfig {
  std::string data;
  double validation = 0.1;  // share of the clips kept for validation

  // Throws Error naming the first impossible field.
  void check() const;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("data", data,
          "a folder of .npy and .safetensors files, or one of them: embeddings of frames (T, D), a "
          "clip each, or stacked (clips, T, D)");
    visit("validation", validation, "share of the clips kept for validation");
  }
};

// Windows of S + 1 frames. Of a clip of T frames they begin S frames apart, the last as late as it
// can: every frame but the first is foretold in one of them.
class ClipWindows {
 public:
  // Throws Error when a clip is shorter than a window.
  ClipWindows(std::shared_ptr<const Clips> clips, std::vector<int64_t> chosen, int64_t context);

  int64_t count() const { return count_; }
  // frames (S + 1, D) of a window. Throws Error as Clips::read.
  template <class T>
  void read(int64_t window, Tensor<T> frames) const;

 private:
  std::shared_ptr<const Clips> clips_;
  std::vector<int64_t> chosen_;
  std::vector<int64_t> first_windows_;  // of every chosen clip
  int64_t context_;
  int64_t count_ = 0;
};

struct VideoData {
  std::shared_ptr<const Clips> clips;
  std::shared_ptr<const ClipWindows> training;    // null until a context is known
  std::shared_ptr<const ClipWindows> validation;  // of whole clips; count() may be 0
};

// Cuts clips into windows. Which of them are for validation follows from their number and the share
// alone: they are spread evenly, and at least one of two. Throws Error when frames are not of
// `width` numbers, none is left for training, or a clip is too short.
void cut_clips(const VideoDataConfig& config, int64_t width, int64_t context, VideoData& data);

}  // namespace ebt
