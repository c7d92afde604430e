// Sums of losses over the rows of a pass, for text and images alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ebt {

// Sums over what carries loss: the targets of text, images. Divide by `count`.
struct LossSums {
  double objective = 0;          // what training minimises
  std::vector<double> losses;    // (K) after every thinking step; one entry for a baseline
  std::vector<double> energies;  // (K) before every thinking step; empty for a baseline
  int64_t count = 0;             // of what carries loss

  LossSums() = default;
  // Zeros for a pass of so many thinking steps.
  LossSums(size_t steps, int64_t loss_count)
      : losses(steps, 0.0), energies(steps, 0.0), count(loss_count) {}

  void add(const LossSums& other);

  double mean_objective() const;
  // (K) means over `count`.
  std::vector<double> mean_losses() const;
  std::vector<double> mean_energies() const;
  // How far the mean energy falls from the first thinking step to the last; 0 with fewer than two.
  double energy_gap() const;
};

}  // namespace ebt
