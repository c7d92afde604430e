#include "ebt/eval/image_noise.h"

#include <fmt/format.h>

#include <cmath>

#include "ebt/core/error.h"
#include "ebt/kernels/elementwise.h"
#include "ebt/kernels/rng.h"
#include "ebt/layers/noise_schedule.h"

namespace ebt {
namespace {

constexpr double kSigmas = 127.5;  // in a unit of pixels in [-1, 1]

}  // namespace

double ImageNoise::sigma() const { return deviation * kSigmas; }

ImageNoise ImageNoise::of_timestep(int64_t timestep) {
  const NoiseSchedule schedule;
  EBT_CHECK(timestep >= 0 && timestep < schedule.steps(),
            "noise: timestep {} is not between 0 and {}", timestep, schedule.steps() - 1);
  return {fmt::format("timestep {}", timestep), timestep, schedule.signal(timestep),
          schedule.noise(timestep) / schedule.signal(timestep)};
}

ImageNoise ImageNoise::of_level(double level) {
  ImageNoise noise = of_timestep(NoiseSchedule().step_of_level(level));
  noise.name = fmt::format("level {}", level);
  return noise;
}

ImageNoise ImageNoise::of_sigma(double sigma) {
  EBT_CHECK(sigma >= 0 && std::isfinite(sigma), "noise: a sigma of {} is negative or not finite",
            sigma);
  ImageNoise noise = of_timestep(NoiseSchedule().step_of_deviation(sigma / kSigmas));
  noise.name = fmt::format("sigma {}", sigma);
  noise.deviation = sigma / kSigmas;
  return noise;
}

void add_noise(const ImageNoise& noise, uint64_t seed, int64_t number, Tensor<const float> clean,
               Tensor<float> noisy) {
  EBT_CHECK(clean.count() == noisy.count(), "noise: {} into {}", clean.shape.to_string(),
            noisy.shape.to_string());
  const RandomStream stream{seed, RandomPurpose::kTestNoise, static_cast<uint64_t>(number)};
  stream.normal(0, noisy, static_cast<float>(noise.deviation));
  kernels::elementwise<float>().add(noisy.count(), 1.0F, clean.data, noisy.data);
}

void scale_to_model(const ImageNoise& noise, Tensor<float> images) {
  kernels::elementwise<float>().scale(images.count(), static_cast<float>(noise.signal),
                                      images.data);
}

}  // namespace ebt
