// The noise that is added to images to evaluate denoising.
#pragma once

#include <cstdint>
#include <string>

#include "ebt/core/tensor.h"

namespace ebt {

// Gaussian noise on pixels in [-1, 1], and where it stands in the NoiseSchedule that models were
// trained with. A model is given x_t = signal * (image + deviation * epsilon).
struct ImageNoise {
  std::string name;      // as it was asked for: "level 0.1", "sigma 25"
  int64_t timestep = 0;  // t
  double signal = 1;
  double deviation = 0;

  // In units of 1/255 of the range of pixels, as denoisers are usually compared: 127.5 deviations.
  double sigma() const;

  // A share of the schedule, in (0, 1], as the paper counts noise: 0.1 is what its models were
  // trained with, t = 99, sigma 43.
  static ImageNoise of_level(double level);
  static ImageNoise of_timestep(int64_t timestep);
  // Noise of deviation sigma / 255, at the step of the schedule whose ratio of noise to signal is
  // nearest. Throws Error when it is negative or not finite.
  static ImageNoise of_sigma(double sigma);
};

// noisy = clean + noise, element by element; not clamped. `number` tells the images of a seed
// apart: a model is given the same noise on the same image, whatever else is measured.
void add_noise(const ImageNoise& noise, uint64_t seed, int64_t number, Tensor<const float> clean,
               Tensor<float> noisy);

// Noisy images to x_t: times the signal.
void scale_to_model(const ImageNoise& noise, Tensor<float> images);

}  // namespace ebt
