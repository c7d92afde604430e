// The loss of a diffusion model that predicts noise and the variance of a step (Nichol and
// Dhariwal, 2021), per image and in means over its values:
//
//   mse = (epsilon - predicted)^2
//   vb  = KL(q(x_{t-1} | x_t, x_0) || p(x_{t-1} | x_t)) / ln 2, at t = 0 -log2 p(x_0 | x_1) of
//         8-bit values
// where log variance = f log beta_t + (1 - f) log posterior variance, f = (v + 1) / 2, and the mean
// of p counts as a constant: vb teaches the variance alone.
#pragma once

#include <cstdint>

#include "ebt/core/tensor.h"
#include "ebt/layers/noise_schedule.h"

namespace ebt {

// What a batch of images was made from.
template <class T>
struct DiffusionBatch {
  Tensor<const T> clean, noise, noisy;  // (B, C, H, W): x_0, epsilon, x_t
  Tensor<const int64_t> timesteps;      // (B)
};

// noisy (B, C, H, W) = x_t of the batch's images, noise and timesteps.
template <class T>
void add_noise(const NoiseSchedule& schedule, const DiffusionBatch<T>& batch, Tensor<T> noisy);

// Of outputs (B, 2 C, H, W), predicted noise and then v: mse (B) and vb (B). output_bar, if it is
// not absent, = scale * the derivative of the sum of both; it may be the outputs.
template <class T>
void diffusion_loss(const NoiseSchedule& schedule, const DiffusionBatch<T>& batch,
                    Tensor<const T> output, T scale, Tensor<T> mse, Tensor<T> vb,
                    Tensor<T> output_bar);

}  // namespace ebt
