#include "ebt/train/video_losses.h"

namespace ebt {

Json step_fields(const VideoLosses& measured) { return {{"step_mse", measured.mean_losses()}}; }

Json validation_fields(const VideoLosses& measured) {
  Json line = {{"val_step_mse", measured.mean_losses()}};
  if (!measured.energies.empty()) {
    line["val_energies"] = measured.mean_energies();
  }
  return line;
}

}  // namespace ebt
