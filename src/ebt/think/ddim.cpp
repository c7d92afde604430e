#include "ebt/think/ddim.h"

#include <algorithm>

#include "ebt/kernels/diffusion.h"

namespace ebt {

std::vector<int64_t> ddim_timesteps(int64_t start, int64_t passes) {
  EBT_CHECK(start >= 0 && passes >= 1, "diffusion: {} passes from timestep {} are none", passes,
            start);
  const int64_t count = std::min(passes, start + 1);
  std::vector<int64_t> timesteps;
  for (int64_t i = 0; i < count; ++i) {
    timesteps.push_back(start - i * (start + 1) / count);
  }
  return timesteps;
}

template <class T>
void ddim_step(const NoiseSchedule& schedule, int64_t t, int64_t t_next, Tensor<const T> output,
               Tensor<T> images) {
  const int64_t batch = images.dim(0);
  const int64_t size = batch == 0 ? 0 : images.count() / batch;
  EBT_CHECK(output.count() == 2 * images.count(), "diffusion: the output is {} for images {}",
            output.shape.to_string(), images.shape.to_string());
  kernels::diffusion<T>().step_back(batch, size, {schedule.signal(t), schedule.noise(t)},
                                    {schedule.signal(t_next), schedule.noise(t_next)}, output.data,
                                    images.data);
}

template void ddim_step(const NoiseSchedule&, int64_t, int64_t, Tensor<const float>, Tensor<float>);
template void ddim_step(const NoiseSchedule&, int64_t, int64_t, Tensor<const double>,
                        Tensor<double>);

}  // namespace ebt
