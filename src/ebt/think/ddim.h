// Denoising diffusion implicit models (Song et al., 2021) without noise: how DiT takes noise out of
// an image.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "ebt/core/tensor.h"
#include "ebt/layers/noise_schedule.h"

namespace ebt {

// The timesteps of `passes` forward passes, evenly from `start` down; never more than start + 1.
std::vector<int64_t> ddim_timesteps(int64_t start, int64_t passes);

// One pass at images x_t (B, C, H, W): from t to t_next (-1: the image without noise), with the
// network's output (B, 2 C, H, W), of which the first half predicts the noise.
//   x_0 = (x_t - noise_t epsilon) / signal_t, clamped to [-1, 1]
//   x_next = signal_next x_0 + noise_next (x_t - signal_t x_0) / noise_t
template <class T>
void ddim_step(const NoiseSchedule& schedule, int64_t t, int64_t t_next, Tensor<const T> output,
               Tensor<T> images);

}  // namespace ebt
