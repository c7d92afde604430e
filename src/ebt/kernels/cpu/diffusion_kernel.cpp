// Diffusion: noise, loss, a step back, timesteps (diffusion.h) for one instruction set.
#include <cmath>

#include "ebt/kernels/cpu/parallel.h"
#include "ebt/kernels/cpu/pieces.h"
#include "ebt/kernels/diffusion.h"

namespace ebt::kernels {
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

template <class T>
void add_noise(int64_t images, int64_t width, const DiffusionStep* steps, const T* clean,
               const T* noise, T* noisy) {
#pragma omp parallel if (images * width > kSerialElements)
  for (int64_t image = 0; image < images; ++image) {
    const T signal = static_cast<T>(steps[image].level.signal);
    const T spread = static_cast<T>(steps[image].level.noise);
#pragma omp for simd schedule(static) nowait
    for (int64_t i = image * width; i < (image + 1) * width; ++i) {
      noisy[i] = signal * clean[i] + spread * noise[i];
    }
  }
}

template <class T>
void loss_and_gradient(int64_t images, int64_t width, const DiffusionStep* steps, const T* clean,
                       const T* noise, const T* noisy, const T* output, double scale, T* mse, T* vb,
                       T* output_bar) {
  const auto count = static_cast<double>(width);
  const double each = scale / count;
  for_pieces<2>(
      images, width,
      [=](int64_t image, int64_t begin, int64_t end, double* sums) {
        const DiffusionStep& s = steps[image];
        for (int64_t i = image * width + begin; i < image * width + end; ++i) {
          const auto x_0 = static_cast<double>(clean[i]);
          const auto epsilon = static_cast<double>(noise[i]);
          const auto x_t = static_cast<double>(noisy[i]);
          const int64_t at = image * width + i;  // outputs are twice as wide
          const auto predicted = static_cast<double>(output[at]);
          const double share = (static_cast<double>(output[at + width]) + 1.0) / 2.0;
          const double log_variance = share * s.high + (1.0 - share) * s.low;
          const double guess =
              x_t / std::sqrt(s.kept) - std::sqrt(1.0 / s.kept - 1.0) * predicted;  // of x_0
          const double difference = s.from_clean * (x_0 - guess);  // of the two means
          const Term term =
              s.first ? surprise(x_0, s.from_clean * guess + s.from_noisy * x_t, log_variance)
                      : divergence(s.low, log_variance, difference);
          sums[0] += (epsilon - predicted) * (epsilon - predicted);
          sums[1] += term.value;
          if (output_bar != nullptr) {
            output_bar[at] = static_cast<T>(each * 2.0 * (predicted - epsilon));
            output_bar[at + width] =
                static_cast<T>(each / kLn2 * term.slope * 0.5 * (s.high - s.low));
          }
        }
      },
      [=](int64_t image, const double* sums) {
        mse[image] = static_cast<T>(sums[0] / count);
        vb[image] = static_cast<T>(sums[1] / count / kLn2);
      });
}

template <class T>
void step_back(int64_t images, int64_t width, NoiseLevel from, NoiseLevel to, const T* output,
               T* x) {
#pragma omp parallel if (images * width > kSerialElements)
  for (int64_t image = 0; image < images; ++image) {
#pragma omp for simd schedule(static) nowait
    for (int64_t i = image * width; i < (image + 1) * width; ++i) {
      const auto value = static_cast<double>(x[i]);
      const auto epsilon = static_cast<double>(output[image * width + i]);
      const double guess = (value - from.noise * epsilon) / from.signal;
      const double clean = guess < -1.0 ? -1.0 : (guess > 1.0 ? 1.0 : guess);
      x[i] =
          static_cast<T>(to.signal * clean + to.noise * (value - from.signal * clean) / from.noise);
    }
  }
}

template <class T>
void timestep_features(int64_t images, int64_t count, const int64_t* timesteps,
                       const float* frequencies, T* features) {
#pragma omp parallel for schedule(static) if (images * count > kSerialElements)
  for (int64_t image = 0; image < images; ++image) {
    T* const cosines = features + 2 * image * count;
    for (int64_t i = 0; i < count; ++i) {
      const T angle = static_cast<T>(timesteps[image]) * static_cast<T>(frequencies[i]);
      cosines[i] = std::cos(angle);
      cosines[count + i] = std::sin(angle);
    }
  }
}

template <class T>
constexpr DiffusionKernels<T> kTable{&add_noise<T>, &loss_and_gradient<T>, &step_back<T>,
                                     &timestep_features<T>};

}  // namespace

#define EBT_TABLE(T)                                                            \
  template <>                                                                   \
  const DiffusionKernels<T>& kernels_for<DiffusionKernels<T>, Isa::EBT_ISA>() { \
    return kTable<T>;                                                           \
  }
EBT_TABLE(float)
EBT_TABLE(double)
#undef EBT_TABLE

}  // namespace ebt::kernels
