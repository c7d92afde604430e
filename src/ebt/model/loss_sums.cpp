#include "ebt/model/loss_sums.h"

#include <algorithm>

namespace ebt {
namespace {

void add_to(std::vector<double>& sums, const std::vector<double>& more) {
  sums.resize(std::max(sums.size(), more.size()));
  for (size_t i = 0; i < more.size(); ++i) {
    sums[i] += more[i];
  }
}

std::vector<double> means(std::vector<double> sums, int64_t count) {
  for (double& sum : sums) {
    sum /= static_cast<double>(count);
  }
  return sums;
}

}  // namespace

void LossSums::add(const LossSums& other) {
  objective += other.objective;
  count += other.count;
  add_to(losses, other.losses);
  add_to(energies, other.energies);
}

double LossSums::mean_objective() const { return objective / static_cast<double>(count); }

std::vector<double> LossSums::mean_losses() const { return means(losses, count); }

std::vector<double> LossSums::mean_energies() const { return means(energies, count); }

double LossSums::energy_gap() const {
  const std::vector<double> mean = mean_energies();
  return mean.empty() ? 0.0 : mean.front() - mean.back();
}

}  // namespace ebt
