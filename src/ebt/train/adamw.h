// AdamW (Loshchilov and Hutter, arXiv 1711.05101) over all weights of a model, as
// torch.optim.AdamW computes it:
//
//   w ← w − η λ w
//   m ← β₁ m + (1 − β₁) g          v ← β₂ v + (1 − β₂) g²
//   w ← w − η/(1 − β₁ᵗ) · m / (√(v/(1 − β₂ᵗ)) + ε)
//
// where λ is 0 for entries without weight decay and η is the learning rate times the multiplier of
// the entry's group.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ebt/kernels/adamw.h"
#include "ebt/model/parameters.h"
#include "ebt/train/run_settings.h"

namespace ebt {

// One named parameter that learns at its own rate, without weight decay.
struct ParameterGroup {
  std::string name;
  double rate_multiplier = 1.0;  // of the learning rate; 0 freezes the parameter
};

// Owns the moments. Results do not depend on the number of threads: the work is cut into fixed
// segments, and sums over segments are taken in order.
template <class T>
class AdamW {
 public:
  // The layout must outlive the optimizer. Groups that name no entry are ignored, so that a model
  // without a step size needs no special case.
  AdamW(const ParameterLayout& layout, const OptimizerConfig& config,
        const std::vector<ParameterGroup>& groups);

  // Euclidean norm of the gradients of all parameters that are not frozen, in double.
  double gradient_norm(const ParameterBlock<T>& gradients) const;

  // One update with gradients multiplied by `gradient_scale`.
  void update(ParameterBlock<T>& weights, const ParameterBlock<T>& gradients, double learning_rate,
              double gradient_scale = 1.0);

  // The state: what must be saved and restored for the next update to be the same.
  ParameterBlock<T>& first_moments() { return first_moments_; }
  ParameterBlock<T>& second_moments() { return second_moments_; }
  int64_t update_count() const { return update_count_; }
  void set_update_count(int64_t count) { update_count_ = count; }

 private:
  OptimizerConfig config_;
  std::vector<kernels::ParameterSegment> segments_;  // of all parameters that learn
  ParameterBlock<T> first_moments_;
  ParameterBlock<T> second_moments_;
  int64_t update_count_ = 0;
};

// The factor that brings a gradient of norm `norm` to at most `clip_norm`, as
// torch.nn.utils.clip_grad_norm_ computes it; 1 when clip_norm is 0.
double clip_scale(double norm, double clip_norm);

}  // namespace ebt
