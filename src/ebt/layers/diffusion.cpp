#include "ebt/layers/diffusion.h"

#include <algorithm>
#include <cmath>

namespace ebt {
namespace {

constexpr double kLn2 = 0.6931471805599453;
constexpr double kSmallest = 1e-12;  // probabilities are raised to this before their logarithm

// An approximation of the normal distribution function, and its derivative.
struct Cdf {
  double value, slope;
  explicit Cdf(double z) {
    constexpr double kRoot = 0.7978845608028654;  // sqrt(2 / pi)
    const double t = std::tanh(kRoot * (z + 0.044715 * z * z * z));
    value = 0.5 * (1.0 + t);
    slope = 0.5 * (1.0 - t * t) * kRoot * (1.0 + 3.0 * 0.044715 * z * z);
  }
};

// A term of vb and its derivative by the logarithm of the variance, in nats.
struct Term {
  double value, slope;
};

// KL divergence of two normal distributions.
Term divergence(double true_log_variance, double log_variance, double difference) {
  const double ratio = std::exp(true_log_variance - log_variance);
  const double spread = difference * difference * std::exp(-log_variance);
  return {0.5 * (-1.0 + log_variance - true_log_variance + ratio + spread),
          0.5 * (1.0 - ratio - spread)};
}

// -log of the probability that a normal distribution gives to one of 256 values: the outermost take
// all that lies beyond them.
Term surprise(double x, double mean, double log_variance) {
  const double inverse = std::exp(-0.5 * log_variance);
  const double above = x - mean + 1.0 / 255.0;
  const double below = x - mean - 1.0 / 255.0;
  const Cdf up(inverse * above);
  const Cdf down(inverse * below);
  double probability = up.value - down.value;
  double slope = up.slope * above - down.slope * below;  // by the inverse deviation
  if (x < -0.999) {
    probability = up.value;
    slope = up.slope * above;
  } else if (x > 0.999) {
    probability = 1.0 - down.value;
    slope = -down.slope * below;
  }
  if (probability < kSmallest) {
    return {-std::log(kSmallest), 0.0};
  }
  return {-std::log(probability), slope * 0.5 * inverse / probability};
}

}  // namespace

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
#pragma omp parallel for schedule(static)
  for (int64_t b = 0; b < images; ++b) {
    const int64_t t = batch.timesteps[b];
    const double kept = schedule.kept(t);
    const double beta = schedule.beta(t);
    const double from_clean = beta * std::sqrt(schedule.kept(t - 1)) / (1.0 - kept);
    const double from_noisy = (1.0 - schedule.kept(t - 1)) * std::sqrt(1.0 - beta) / (1.0 - kept);
    const double low = schedule.posterior_log_variance(t);
    const double high = std::log(beta);
    double squares = 0;
    double bound = 0;
    for (int64_t i = 0; i < size; ++i) {
      const auto clean = static_cast<double>(batch.clean[b * size + i]);
      const auto noise = static_cast<double>(batch.noise[b * size + i]);
      const auto noisy = static_cast<double>(batch.noisy[b * size + i]);
      const int64_t at = 2 * b * size + i;
      const auto predicted = static_cast<double>(output[at]);
      const double share = (static_cast<double>(output[at + size]) + 1.0) / 2.0;
      const double log_variance = share * high + (1.0 - share) * low;
      const double guess =
          noisy / std::sqrt(kept) - std::sqrt(1.0 / kept - 1.0) * predicted;  // of the clean image
      const double difference = from_clean * (clean - guess);                 // of the two means
      const Term term = t == 0
                            ? surprise(clean, from_clean * guess + from_noisy * noisy, log_variance)
                            : divergence(low, log_variance, difference);
      squares += (noise - predicted) * (noise - predicted);
      bound += term.value;
      if (output_bar) {
        const double each = static_cast<double>(scale) / static_cast<double>(size);
        output_bar[at] = static_cast<T>(each * 2.0 * (predicted - noise));
        output_bar[at + size] = static_cast<T>(each / kLn2 * term.slope * 0.5 * (high - low));
      }
    }
    mse[b] = static_cast<T>(squares / static_cast<double>(size));
    vb[b] = static_cast<T>(bound / static_cast<double>(size) / kLn2);
  }
}

#define EBT_INSTANTIATE(T)                                                                         \
  template void diffusion_loss(const NoiseSchedule&, const DiffusionBatch<T>&, Tensor<const T>, T, \
                               Tensor<T>, Tensor<T>, Tensor<T>);
EBT_INSTANTIATE(float)
EBT_INSTANTIATE(double)
#undef EBT_INSTANTIATE

}  // namespace ebt
