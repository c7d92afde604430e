// The learning rate over a run: linear warm-up, then half a cosine.
#pragma once

#include <cstdint>

namespace ebt {

struct LearningRateSchedule {
  double peak = 0;
  int64_t warmup_steps = 0;
  int64_t total_steps = 1;
  double final_fraction = 0.1;

  // The rate of step `step`, counted from 0. Rises from peak / warmup_steps to the peak, which step
  // warmup_steps takes as well; then falls along a cosine towards final_fraction * peak, which it
  // reaches after the last step and keeps.
  double at(int64_t step) const;
};

}  // namespace ebt
