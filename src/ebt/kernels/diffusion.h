// A diffusion model's noisy images, its loss (layers/diffusion.h), a step back, and the features of
// its timesteps. Images (n, width) are rows; outputs (n, 2 width) hold predicted noise, then v.
#pragma once

#include <cstdint>

#include "ebt/kernels/isa.h"

namespace ebt::kernels {

// What x_0 and the noise are multiplied by.
struct NoiseLevel {
  double signal, noise;
};

// What an image's timestep t makes of it.
struct DiffusionStep {
  bool first;                     // t = 0
  NoiseLevel level;               // of x_t
  double kept;                    // abar_t
  double from_clean, from_noisy;  // the mean of q(x_{t-1} | x_t, x_0) is their combination
  double low, high;               // the least and the largest logarithm of the step's variance
};

template <class T>
struct DiffusionKernels {
  // noisy = signal clean + spread noise
  void (*add_noise)(int64_t images, int64_t width, const DiffusionStep* steps, const T* clean,
                    const T* noise, T* noisy);
  // mse (n) and vb (n), means over the values of each image. output_bar, unless it is null, = scale
  // * the derivative of the sum of both; it may be the output.
  void (*loss_and_gradient)(int64_t images, int64_t width, const DiffusionStep* steps,
                            const T* clean, const T* noise, const T* noisy, const T* output,
                            double scale, T* mse, T* vb, T* output_bar);
  // A step back of all images from a signal and a noise to the next ones, in place:
  //   clean = (x - noise predicted) / signal, clamped to [-1, 1]
  //   x = signal_next clean + noise_next (x - signal clean) / noise
  void (*step_back)(int64_t images, int64_t width, NoiseLevel from, NoiseLevel to, const T* output,
                    T* x);
  // features (n, 2 count): cosines and then sines of timestep times frequency
  void (*timestep_features)(int64_t images, int64_t count, const int64_t* timesteps,
                            const float* frequencies, T* features);
};

template <class T>
const DiffusionKernels<T>& diffusion() {
  return table<DiffusionKernels<T>>();
}

}  // namespace ebt::kernels
