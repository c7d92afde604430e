#include "ebt/layers/noise_schedule.h"

#include <algorithm>
#include <cmath>

#include "ebt/core/error.h"

namespace ebt {

NoiseSchedule::NoiseSchedule(int64_t steps) {
  EBT_CHECK(steps >= 2, "noise schedule: {} steps are fewer than 2", steps);
  const double scale = 1000.0 / static_cast<double>(steps);
  double kept = 1.0;
  for (int64_t t = 0; t < steps; ++t) {
    const double share = static_cast<double>(t) / static_cast<double>(steps - 1);
    beta_.push_back(scale * (1e-4 + share * (2e-2 - 1e-4)));
    kept *= 1.0 - beta_.back();
    kept_.push_back(kept);
  }
}

double NoiseSchedule::signal(int64_t t) const { return std::sqrt(kept(t)); }

double NoiseSchedule::noise(int64_t t) const { return std::sqrt(1.0 - kept(t)); }

double NoiseSchedule::posterior_variance(int64_t t) const {
  return beta(t) * (1.0 - kept(t - 1)) / (1.0 - kept(t));
}

double NoiseSchedule::posterior_log_variance(int64_t t) const {
  return std::log(posterior_variance(std::max<int64_t>(t, 1)));
}

int64_t NoiseSchedule::step_of_level(double level) const {
  EBT_CHECK(level > 0 && level <= 1, "noise level: {} is not in (0, 1]", level);
  const auto step = static_cast<int64_t>(std::llround(level * static_cast<double>(steps()))) - 1;
  return std::max<int64_t>(step, 0);
}

int64_t NoiseSchedule::step_of_deviation(double deviation) const {
  EBT_CHECK(deviation >= 0 && std::isfinite(deviation),
            "noise: a standard deviation of {} is negative or not finite", deviation);
  int64_t nearest = 0;
  const auto distance = [&](int64_t t) {
    return std::abs(std::log(noise(t) / signal(t)) - std::log(std::max(deviation, 1e-12)));
  };
  for (int64_t t = 1; t < steps(); ++t) {
    if (distance(t) < distance(nearest)) {
      nearest = t;
    }
  }
  return nearest;
}

}  // namespace ebt
