#include "ebt/layers/diffusion.h"

#include <cmath>
#include <vector>

#include "ebt/kernels/diffusion.h"

namespace ebt {
namespace {

std::vector<kernels::DiffusionStep> steps_of(const NoiseSchedule& schedule,
                                             Tensor<const int64_t> timesteps) {
  std::vector<kernels::DiffusionStep> steps;
  for (const int64_t t : timesteps) {
    const double kept = schedule.kept(t);
    const double before = schedule.kept(t - 1);
    const double beta = schedule.beta(t);
    steps.push_back({t == 0,
                     {schedule.signal(t), schedule.noise(t)},
                     kept,
                     beta * std::sqrt(before) / (1.0 - kept),
                     (1.0 - before) * std::sqrt(1.0 - beta) / (1.0 - kept),
                     schedule.posterior_log_variance(t),
                     std::log(beta)});
  }
  return steps;
}

}  // namespace

template <class T>
void add_noise(const NoiseSchedule& schedule, const DiffusionBatch<T>& batch, Tensor<T> noisy) {
  const int64_t images = batch.timesteps.count();
  EBT_CHECK(batch.noise.count() == batch.clean.count() && noisy.count() == batch.clean.count() &&
                (images == 0 ? batch.clean.count() == 0 : batch.clean.count() % images == 0),
            "diffusion: noise {} for images {}", batch.noise.shape.to_string(),
            batch.clean.shape.to_string());
  const int64_t size = images == 0 ? 0 : batch.clean.count() / images;
  kernels::diffusion<T>().add_noise(images, size, steps_of(schedule, batch.timesteps).data(),
                                    batch.clean.data, batch.noise.data, noisy.data);
}

template <class T>
void diffusion_loss(const NoiseSchedule& schedule, const DiffusionBatch<T>& batch,
                    Tensor<const T> output, T scale, Tensor<T> mse, Tensor<T> vb,
                    Tensor<T> output_bar) {
  const int64_t images = batch.timesteps.count();
  const int64_t size = images == 0 ? 0 : batch.clean.count() / images;
  EBT_CHECK(output.count() == 2 * images * size && mse.count() == images && vb.count() == images &&
                batch.noise.count() == images * size && batch.noisy.count() == images * size,
            "diffusion loss: the output is {} for images {}", output.shape.to_string(),
            batch.clean.shape.to_string());
  kernels::diffusion<T>().loss_and_gradient(
      images, size, steps_of(schedule, batch.timesteps).data(), batch.clean.data, batch.noise.data,
      batch.noisy.data, output.data, static_cast<double>(scale), mse.data, vb.data,
      output_bar.data);
}

#define EBT_INSTANTIATE(T)                                                                         \
  template void add_noise(const NoiseSchedule&, const DiffusionBatch<T>&, Tensor<T>);              \
  template void diffusion_loss(const NoiseSchedule&, const DiffusionBatch<T>&, Tensor<const T>, T, \
                               Tensor<T>, Tensor<T>, Tensor<T>);
EBT_INSTANTIATE(float)
EBT_INSTANTIATE(double)
#undef EBT_INSTANTIATE

}  // namespace ebt
