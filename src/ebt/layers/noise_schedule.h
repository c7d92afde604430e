// How much noise a diffusion has added after t steps (Ho et al., 2020, and the rescaling of Nichol
// and Dhariwal, 2021): variances rise linearly from 1e-4 to 2e-2 over 1000 steps, or
// proportionally faster over fewer.
//
//   x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) epsilon        abar_t = product of 1 - beta_i, i <= t
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ebt {

class NoiseSchedule {
 public:
  explicit NoiseSchedule(int64_t steps = 1000);

  int64_t steps() const { return static_cast<int64_t>(beta_.size()); }
  double beta(int64_t t) const { return beta_[static_cast<size_t>(t)]; }
  // abar_t; 1 for t = -1, the image without noise.
  double kept(int64_t t) const { return t < 0 ? 1.0 : kept_[static_cast<size_t>(t)]; }
  // What x_0 and epsilon are multiplied by.
  double signal(int64_t t) const;
  double noise(int64_t t) const;
  // Variance of x_{t-1} given x_t and x_0, and its logarithm (that of t = 1 at t = 0, where the
  // variance is 0).
  double posterior_variance(int64_t t) const;
  double posterior_log_variance(int64_t t) const;

  // The step of a noise level in (0, 1], which is a share of the whole schedule: 0.1 of 1000 steps
  // is t = 99. Throws Error when it is outside.
  int64_t step_of_level(double level) const;
  // The step whose ratio of noise to signal is nearest to a standard deviation of noise on pixels
  // in [-1, 1]: sigma / 127.5 where sigma is in units of 1/255.
  int64_t step_of_deviation(double deviation) const;

 private:
  std::vector<double> beta_;
  std::vector<double> kept_;
};

}  // namespace ebt
