#include "ebt/model/video_config.h"

#include "ebt/core/error.h"

namespace ebt {

const EnumNames<FirstFrame>& enum_names(FirstFrame) {
  static const EnumNames<FirstFrame> kNames = {{"random_noise", FirstFrame::kRandomNoise},
                                               {"most_recent", FirstFrame::kMostRecent}};
  return kNames;
}

void VideoThinkingConfig::check() const {
  check_settings();
  EBT_CHECK(step_size > 0, "--step-size: {} is not between 0 and 10^9", step_size);
  EBT_CHECK(initial_scale >= 0, "--initial-scale: {} is negative", initial_scale);
}

}  // namespace ebt
